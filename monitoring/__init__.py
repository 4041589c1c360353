"""What Rondo says about itself: metrics, log lines, traces and the state of its runtime.

A leaf: it imports nothing of the application, and everybody but the domain may import it.
"""
