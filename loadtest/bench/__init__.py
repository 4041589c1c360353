"""The benchmark: what Rondo costs, beside the floor that the same machine allows in the same minute."""
