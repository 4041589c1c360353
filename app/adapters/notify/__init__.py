"""Channels that reach a person outside of Rondo."""
