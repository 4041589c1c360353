"""The version of Rondo, said once."""

VERSION = "0.1.0"
