"""SimDb: an in-memory database behind the ports, with transactions, row locks, faults, and a memory of its own."""
