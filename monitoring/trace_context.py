"""Which trace this piece of work belongs to, as W3C Trace Context says it.

Only ids and a flag: cheap enough to exist for every request, sampled or not, because log lines
and event envelopes always carry them. The current one is in `monitoring.scope`.
"""

import random
import re
from functools import lru_cache, partial
from typing import NamedTuple

# version "-" trace-id "-" parent-id "-" flags. Version 00 ends there; later versions may go on
# after a dash (W3C Trace Context, section 3.2.4). Hex is lower case by the specification.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
# Longer is not a traceparent but an attack.
_MAX_TRACEPARENT_LENGTH = 256
_SAMPLED = 0x01
# An id of only zeros is none (section 3.2.2).
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
# Every request begins one, and between two requests all that is needed for that has left the caches. In a row they are
# cut from one long text, which is half the work of writing number after number.
_ROW = 64
_DIGITS = len(_NO_TRACE + _NO_SPAN)


class TraceContext(NamedTuple):
    """A position in a trace. Every request makes one, and a tuple costs a third of a frozen dataclass.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        sampled: Whether the head of the trace decided to keep it.
    """

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def flags(self) -> str:
        """The trace flags, two hex digits."""
        return "01" if self.sampled else "00"

    @property
    def traceparent(self) -> str:
        """The header value that continues this trace elsewhere."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


# As a tuple is made: half the time of a call with names.
_made_of = partial(tuple.__new__, TraceContext)
# Beginnings of traces that are made and not used yet.
_roots: list[TraceContext] = []


def new_root() -> TraceContext:
    """Return the beginning of a trace, not sampled. Ids are no secrets, so the fast generator will do."""
    while not _roots:
        digits = random.randbytes(_ROW * _DIGITS // 2).hex()  # noqa: S311 # ids are no secrets: they only tell traces apart
        ids = [(digits[at : at + 32], digits[at + 32 : at + 48]) for at in range(0, len(digits), _DIGITS)]
        _roots.extend([_made_of((one, two, False)) for one, two in ids if one != _NO_TRACE and two != _NO_SPAN])
    return _roots.pop()


def new_span_id() -> str:
    """Return a random span id."""
    return f"{random.getrandbits(64) or 1:016x}"


@lru_cache(maxsize=512)  # an event comes by four times: at the relay, the hub and the durable actors
def parse(traceparent: str | bytes | None) -> TraceContext | None:
    """Return the context a `traceparent` names, or None for anything that is not one. Never raises."""
    if not traceparent or len(traceparent) > _MAX_TRACEPARENT_LENGTH:
        return None
    text = traceparent.decode("latin-1") if isinstance(traceparent, bytes) else traceparent
    match = _TRACEPARENT.fullmatch(text.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))
