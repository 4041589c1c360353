"""Every endpoint there is. Router, contract, authorisation, limits and metric labels are made from this table."""

from typing import Final

from app.web.api.endpoint import Endpoint
from app.web.api.endpoints import accounts, audit, me, operating, operations, recurrence, reminders, tasks

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *accounts.ENDPOINTS,
    *me.ENDPOINTS,
    *tasks.ENDPOINTS,
    *reminders.ENDPOINTS,
    *recurrence.ENDPOINTS,
    *audit.ENDPOINTS,
    *operations.ENDPOINTS,
    *operating.ENDPOINTS,
)
