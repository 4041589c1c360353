"""What runs for ever: strangers to one another; they share mailboxes, not imports."""
