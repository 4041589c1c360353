"""What can be asked for, under the roof where it is answered; the words themselves belong to the domain."""

from app.domain.queries import (
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    AuditQuery,
    Order,
    PreviewQuery,
    TaskQuery,
    TaskSort,
)

__all__ = [
    "DEFAULT_LIMIT",
    "LARGEST_LIMIT",
    "AuditQuery",
    "Order",
    "PreviewQuery",
    "TaskQuery",
    "TaskSort",
]
