"""What is foreign: PostgreSQL, mail, passwords, the clock. The only home of asyncio and SQL."""
