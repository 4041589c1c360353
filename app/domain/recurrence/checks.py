"""What a rule may not say, and whether it says anything at all.

RFC 5545, section 3.3.10, forbids some parts together. A rule that breaks this means different things to different
programs, so it is refused rather than guessed at.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from app.domain.recurrence.expansion import expand
from app.domain.recurrence.plan import plan_for
from app.domain.recurrence.rule import Frequency, InvalidRuleError, Rule

# From here on 28 years have every kind of year (seven first weekdays, leap or not): what fits none of them never fits.
_PROBE: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a wall-clock time has no zone
# 28 years of months, the shortest period in which a rule without INTERVAL can be barren for long.
_PROBED_PERIODS: Final = 28 * 12


def check(rule: Rule) -> None:
    """Raise `InvalidRuleError` for a rule that contradicts itself or can never yield an occurrence."""
    if rule.count is not None and rule.until is not None:
        raise InvalidRuleError("A rule ends with COUNT or with UNTIL, not with both.", "UNTIL")
    _check_days(rule)
    if rule.by_set_position and replace(rule, by_set_position=()).is_plain:
        raise InvalidRuleError("BYSETPOS chooses among what another BY… part gives; there is none.", "BYSETPOS")
    if not rule.is_plain and not _yields(rule):
        raise InvalidRuleError("No date ever fits this rule.")


def _check_days(rule: Rule) -> None:
    frequency = rule.frequency
    if rule.by_week_number and frequency is not Frequency.YEARLY:
        raise InvalidRuleError("BYWEEKNO belongs to FREQ=YEARLY only.", "BYWEEKNO")
    if rule.by_year_day and frequency in {Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY}:
        raise InvalidRuleError(f"BYYEARDAY does not go with FREQ={frequency.name}.", "BYYEARDAY")
    if rule.by_month_day and frequency is Frequency.WEEKLY:
        raise InvalidRuleError("BYMONTHDAY does not go with FREQ=WEEKLY.", "BYMONTHDAY")
    if not any(weekday.ordinal for weekday in rule.by_day):
        return
    if frequency > Frequency.MONTHLY:
        raise InvalidRuleError(f"BYDAY takes no numbers with FREQ={frequency.name}.", "BYDAY")
    if rule.by_week_number:
        raise InvalidRuleError("BYDAY takes no numbers beside BYWEEKNO.", "BYDAY")


def _yields(rule: Rule) -> bool:
    """Return whether some anchor has an occurrence under this rule."""
    every = replace(rule, interval=1, until=None, count=None)
    return next(expand(plan_for(every, _PROBE), barren_periods=_PROBED_PERIODS), None) is not None
