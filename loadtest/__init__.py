"""Load scenarios and benchmarks: everything in here sees only the network, or the floor it compares with."""
