"""What the current piece of work is: the fields that each of its log lines has, and its place in a trace.

One context variable for both: every request sets it, and two would cost twice as much. It follows `start_soon`, and
does not follow a memory channel (there the trace travels in the envelope).
"""

from contextvars import ContextVar
from typing import NamedTuple

from monitoring.trace_context import TraceContext


class Scope(NamedTuple):
    """A piece of work.

    Attributes:
        fields: Names and values; changed by nobody but who made it.
        trace: Its place in a trace, None outside of any.
    """

    fields: dict[str, object]
    trace: TraceContext | None


CURRENT: ContextVar[Scope] = ContextVar("scope", default=Scope({}, None))  # noqa: B039 # see `Scope.fields`
