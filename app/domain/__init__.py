"""The rules: what a task, a reminder, a recurrence and an account are. Silent: no clock, no log, no await."""
