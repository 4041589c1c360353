"""Looking at a recurrence before it is stored."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import orjson
import trio

from app.domain import recurrence as rules
from app.domain.changing import local_due
from app.domain.checks import Checks
from app.domain.errors import ValidationFailedError
from app.domain.queries import PreviewQuery
from app.domain.task import Due, RecurrenceMode
from app.ports.clock import Clock
from app.services.context import Context

MOST_OCCURRENCES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceService:
    """Previews rules; stores nothing."""

    clock: Clock

    async def preview(self, context: Context, query: PreviewQuery) -> bytes:
        """Return `{occurrences, next, text}`.

        `occurrences` begin at `start`, as if each were completed in time. `next` is what would follow if the one at
        `start` were completed at `completed_at`, which is now by default. `text` says the rule in words.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        await trio.lowlevel.checkpoint()
        name = query.time_zone or context.caller.time_zone
        _check(query, name)
        zone = ZoneInfo(name)
        recurrence = _recurrence(query)
        start = _on_the_wall(query.start, name)
        anchor = start if query.anchor is None else _on_the_wall(query.anchor, name)
        try:
            if query.mode is RecurrenceMode.SCHEDULE:
                rules.check_start(recurrence.rule, anchor, zone=zone)
            number = rules.number_of(recurrence.rule, anchor, start, zone=zone)
            ahead = rules.preview(recurrence, start=start, zone=zone, anchor=anchor, number=number, count=query.count)
            following = rules.next_occurrence(
                recurrence,
                anchor=anchor,
                current=start,
                number=number,
                completed_at=_instant(query.completed_at or self.clock.now(), zone),
                zone=zone,
            )
        except rules.InvalidRuleError as error:
            raise ValidationFailedError.of("rule", "invalid", error.message) from error
        answer = {
            "occurrences": [_wire(moment, zone) for moment in ahead],
            "next": None if following is None else _wire(following.due, zone),
            "text": rules.describe(recurrence),
        }
        return orjson.dumps(answer)


def _check(query: PreviewQuery, zone: str) -> None:
    checks = Checks()
    checks.time_zone("timeZone", zone)
    checks.finish()
    if not 1 <= query.count <= MOST_OCCURRENCES:
        checks.refuse("count", "out_of_range", f"Must be between 1 and {MOST_OCCURRENCES}.")
    for field, due in (("start", query.start), ("anchor", query.anchor), ("completedAt", query.completed_at)):
        if isinstance(due, datetime):
            checks.instant(field, _instant(due, ZoneInfo(zone)))
        elif due is not None:
            checks.day(field, due)
    if query.anchor is not None and isinstance(query.anchor, datetime) != isinstance(query.start, datetime):
        checks.refuse("anchor", "invalid", "Must be a date if start is a date, and have a time if start has one.")
    checks.finish()


def _on_the_wall(due: Due, zone: str) -> Due:
    is_there = isinstance(due, datetime) and due.tzinfo is None
    return due if is_there else local_due(due, zone)


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    return rules.to_instant(moment, zone) if moment.tzinfo is None else moment


def _recurrence(query: PreviewQuery) -> rules.Recurrence:
    try:
        rule = rules.parse_rule(query.rule)
    except rules.InvalidRuleError as error:
        raise ValidationFailedError.of("rule", "invalid", error.message) from error
    return rules.Recurrence(rule=rule, mode=query.mode, missed=query.missed)


def _wire(moment: Due, zone: ZoneInfo) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return rules.to_instant(moment, zone).astimezone(UTC).isoformat().replace("+00:00", "Z")
