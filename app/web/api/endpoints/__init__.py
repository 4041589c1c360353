"""The endpoints, one module per thing. Each translates, calls one use case, translates back."""
