"""What the inside needs from outside, as Protocols; their docstrings are the specification."""
