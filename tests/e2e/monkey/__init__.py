"""A monkey at two tabs of one account: seeded, bounded, and at the end everybody has to see the same tasks."""
