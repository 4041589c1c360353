"""What a message travels in: trio's context follows tasks, not mailboxes, so the trace goes along here."""

import time
from dataclasses import field
from typing import Generic, TypeVar

from app.domain.value import value

T = TypeVar("T")


@value
class Envelope(Generic[T]):
    """A message and where it comes from.

    Attributes:
        message: What is said.
        traceparent: The sender's trace (W3C Trace Context); handlers open their span below or beside it.
        sender: Who says it, for people who read dead letters.
        sent_at: When, in seconds since the epoch.
    """

    message: T
    traceparent: str | None = None
    sender: str = ""
    sent_at: float = field(default_factory=time.time)
