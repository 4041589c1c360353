"""The JSON API: a table of typed endpoints, and everything that is made from it. See `table.py`."""

from app.web.api.application import Api
from app.web.api.creating import create_api
from app.web.api.health import Check
from app.web.api.table import ENDPOINTS

__all__ = ["ENDPOINTS", "Api", "Check", "create_api"]
