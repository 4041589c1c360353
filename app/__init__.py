"""Rondo: a self-hosted task manager."""
