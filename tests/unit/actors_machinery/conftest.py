"""Virtual time for everything between actors."""

from tests.fixtures.virtual_time import pytest_itemcollected

__all__ = ["pytest_itemcollected"]
