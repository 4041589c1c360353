"""Deterministic simulation: real actors, supervisors and services over a database in memory (docs/simulation.md)."""
