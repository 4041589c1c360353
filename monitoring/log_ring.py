"""The last log lines of each actor, in memory, for the operations page. Bounded, and gone with the process.

Lines that carry `supervisor` and `actor` belong to that actor, others to their component. Levels that are not written
to the log are kept here too: what an operator looks at is one actor, now.
"""

from collections import deque
from typing import Final

# Some minutes of a busy actor, the whole life of a calm one.
KEPT_LINES: Final = 200
# Actors and components together are about forty; what comes beyond has no place.
MOST_KEYS: Final = 100
# A stack is told by its end, everything else by its beginning.
MAX_CHARACTERS: Final = 2_000
# The same in every line of this process, or said by the place where the line is.
_KNOWN: Final = frozenset({"service", "version", "env", "instance", "logger", "supervisor", "actor"})
_NAMED: Final = {"timestamp": "at", "level": "level", "message": "message", "event": "event", "component": "component"}


class LogRing:
    """Rings of lines by key: `events/audit`, or a component's name."""

    def __init__(self, kept_lines: int = KEPT_LINES) -> None:
        self._kept_lines = kept_lines
        self._rings: dict[str, deque[dict[str, object]]] = {}

    def take(self, line: dict[str, object]) -> None:
        """Keep a line, as it would be written. Never raises."""
        key = _key(line)
        ring = self._rings.get(key)
        if ring is None:
            if len(self._rings) >= MOST_KEYS:
                return
            ring = self._rings[key] = deque(maxlen=self._kept_lines)
        item: dict[str, object] = {name: line.get(given) for given, name in _NAMED.items()}
        item["fields"] = {
            name: _cut(value) for name, value in line.items() if name not in _KNOWN and name not in _NAMED
        }
        ring.append(item)

    def recent(self, key: str, limit: int) -> list[dict[str, object]]:
        """Return the newest lines of a key, the newest last."""
        ring = self._rings.get(key)
        return [] if ring is None else list(ring)[-limit:]


def _key(line: dict[str, object]) -> str:
    supervisor, actor = line.get("supervisor"), line.get("actor")
    return f"{supervisor}/{actor}" if supervisor and actor else str(line.get("component", ""))


def _cut(value: object) -> object:
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode()  # what cannot be encoded cannot be answered
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"…{text[-MAX_CHARACTERS:]}" if "\n" in text else f"{text[:MAX_CHARACTERS]}…"
