"""Says a rule in English. Every part that changes the meaning is said; what the first date decides is left to it."""

from collections.abc import Iterator
from itertools import product
from typing import Final

from app.domain.recurrence.names import DAYS, MONTHS, listed, listed_numbers, moment, numbered, ordinal, quantity, times
from app.domain.recurrence.rule import Frequency, Recurrence, Rule, Skip
from app.domain.task import MissedPolicy, RecurrenceMode

# More times of day than this are said by their hours and minutes.
LISTED_TIMES: Final = 12

_UNITS: Final = {
    Frequency.YEARLY: "year",
    Frequency.MONTHLY: "month",
    Frequency.WEEKLY: "week",
    Frequency.DAILY: "day",
    Frequency.HOURLY: "hour",
    Frequency.MINUTELY: "minute",
    Frequency.SECONDLY: "second",
}
_WORKDAYS: Final = (0, 1, 2, 3, 4)


def describe(subject: Rule | Recurrence) -> str:
    """Return the rule, or the whole recurrence, in words, such as "every 2 weeks on Monday and Friday, 10 times"."""
    if isinstance(subject, Rule):
        return ", ".join((*_rule_clauses(subject), *_end(subject)))
    rule = subject.rule
    if subject.mode is RecurrenceMode.AFTER_COMPLETION:
        return ", ".join((*_interval_clauses(rule), *_end(rule)))
    kept = ("keeping missed ones",) if subject.missed is MissedPolicy.KEEP else ()
    return ", ".join((*_rule_clauses(rule), *_end(rule), *kept))


def _interval_clauses(rule: Rule) -> Iterator[str]:
    """Yield what is counted from a completion."""
    if not rule.is_plain:
        yield from _rule_clauses(rule)
        yield "counted from completion"
        return
    yield f"{quantity(rule.interval, _UNITS[rule.frequency])} after completion"
    # After a completion nothing is left out, so only going forward differs from what everybody expects.
    if rule.skip is Skip.FORWARD:
        yield from _skip(rule)


def _rule_clauses(rule: Rule) -> Iterator[str]:
    yield " ".join(filter(None, (_head(rule), _days(rule), _times(rule))))
    yield from _limits(rule)
    yield from _positions(rule)
    yield from _skip(rule)
    if rule.week_start and _week_start_matters(rule):
        yield f"weeks starting on {DAYS[rule.week_start]}"


def _head(rule: Rule) -> str:
    if _is_every_weekday(rule):
        return "every weekday (Monday to Friday)"
    if rule.interval == 1:
        return f"every {_UNITS[rule.frequency]}"
    return f"every {quantity(rule.interval, _UNITS[rule.frequency])}"


def _is_every_weekday(rule: Rule) -> bool:
    return rule.frequency is Frequency.WEEKLY and rule.interval == 1 and _are_workdays(rule)


def _days(rule: Rule) -> str:
    """Return the days that the rule adds, such as "on the 13th if it is a Friday of week 20 in March"."""
    if rule.frequency > Frequency.WEEKLY:
        return ""
    if rule.frequency is Frequency.WEEKLY:
        return f"on {_plain_weekdays(rule)}" if rule.by_day and not _is_every_weekday(rule) else ""
    first, *others = (*_numbered_days(rule), *_weekday_phrases(rule)) or ("",)
    phrase = " ".join((f"on {first}" if first else "", *(f"if it is {other}" for other in others)))
    if rule.by_week_number:
        phrase += f" in {listed_numbers(rule.by_week_number, _week)}"
    if rule.frequency is Frequency.YEARLY and rule.by_month:
        of_month = bool(rule.by_month_day) or any(weekday.ordinal for weekday in rule.by_day)
        phrase += f" {'of' if of_month and not rule.by_week_number else 'in'} {_months(rule)}"
    return phrase.strip()


def _numbered_days(rule: Rule) -> Iterator[str]:
    if rule.by_year_day:
        yield listed_numbers(rule.by_year_day, _year_day) + " of the year"
    if rule.by_month_day:
        every = rule.frequency is Frequency.YEARLY and not rule.by_month
        yield _month_days(rule) + (" of every month" if every else "")


def _weekday_phrases(rule: Rule) -> Iterator[str]:
    """Yield BYDAY of a monthly or yearly rule."""
    if not rule.by_day:
        return
    if _chooses_weekday(rule):
        kinds = "weekday (Monday to Friday)" if _are_workdays(rule) else _plain_weekdays(rule, "or")
        yield f"the {listed([ordinal(position) for position in rule.by_set_position])} {kinds}"
        return
    of_year = " of the year" if rule.frequency is Frequency.YEARLY and not rule.by_month else ""
    conjunction = "or" if rule.by_month_day or rule.by_year_day else "and"
    numbered_ones = [f"the {ordinal(day.ordinal)} {DAYS[day.day]}{of_year}" for day in rule.by_day if day.ordinal]
    plain = _plain_weekdays(rule, conjunction)
    article = "a " if conjunction == "or" else "" if rule.by_week_number else "every "
    yield listed([*([article + plain] if plain else []), *numbered_ones], conjunction)


def _chooses_weekday(rule: Rule) -> bool:
    """Return whether BYSETPOS only chooses among weekdays of a month, as in "the last weekday"."""
    alone = not (rule.by_month_day or rule.by_hour or rule.by_minute or rule.by_second)
    plain = bool(rule.by_day) and not any(weekday.ordinal for weekday in rule.by_day)
    return bool(rule.by_set_position) and rule.frequency is Frequency.MONTHLY and alone and plain


def _are_workdays(rule: Rule) -> bool:
    return tuple(sorted(weekday.day for weekday in rule.by_day)) == _WORKDAYS


def _plain_weekdays(rule: Rule, conjunction: str = "and") -> str:
    days = [weekday.day for weekday in rule.by_day if not weekday.ordinal]
    return listed_numbers(days, lambda day: DAYS[day], conjunction) if days else ""


def _limits(rule: Rule) -> Iterator[str]:
    """Yield what a rule leaves out, as opposed to what it adds within its period."""
    limits = []
    if rule.frequency > Frequency.WEEKLY:
        if rule.by_day:
            limits.append(f"on {_plain_weekdays(rule)}")
        if rule.by_month_day:
            limits.append(f"on {_month_days(rule)} of the month")
        if rule.by_year_day:
            limits.append(f"on {listed_numbers(rule.by_year_day, _year_day)} of the year")
    if rule.frequency > Frequency.YEARLY and rule.by_month:
        limits.append(f"in {_months(rule)}")
    clock_limits = (
        (Frequency.HOURLY, rule.by_hour, "in hour"),
        (Frequency.MINUTELY, rule.by_minute, "at minute"),
        (Frequency.SECONDLY, rule.by_second, "at second"),
    )
    limits += [
        _clock(phrase, values) for shortest, values, phrase in clock_limits if values and rule.frequency >= shortest
    ]
    if limits:
        yield f"only {' '.join(limits)}"


def _times(rule: Rule) -> str:
    """Return the times of day, or within the hour or minute, that the rule adds."""
    frequency = rule.frequency
    if frequency < Frequency.HOURLY and rule.by_hour and rule.by_minute:
        clocks = sorted(product(rule.by_hour, rule.by_minute, rule.by_second or (None,)))
        if len(clocks) <= LISTED_TIMES:
            return f"at {listed([':'.join(f'{unit:02}' for unit in clock if unit is not None) for clock in clocks])}"
    parts = (
        (Frequency.HOURLY, rule.by_hour, "in hour"),
        (Frequency.MINUTELY, rule.by_minute, "at minute"),
        (Frequency.SECONDLY, rule.by_second, "at second"),
    )
    return " ".join(_clock(phrase, values) for longest, values, phrase in parts if values and frequency < longest)


def _clock(phrase: str, values: tuple[int, ...]) -> str:
    return f"{phrase}{'' if len(values) == 1 else 's'} {listed_numbers(values, str)}"


def _positions(rule: Rule) -> Iterator[str]:
    if rule.by_set_position and not _chooses_weekday(rule):
        chosen = listed_numbers(rule.by_set_position, lambda position: f"the {ordinal(position)}")
        yield f"only {chosen} of these in each {_UNITS[rule.frequency]}"


def _skip(rule: Rule) -> Iterator[str]:
    """Yield what becomes of dates that do not exist, if the rule can mean such dates."""
    if rule.frequency > Frequency.MONTHLY:
        return
    if not rule.names_days or rule.by_month_day:
        numbers, period = rule.by_month_day, "month"
        if rule.skip is Skip.OMIT:
            if any(abs(number) > 28 for number in numbers):
                yield "leaving out months without that day"
        elif not numbers or any(abs(number) > 28 for number in numbers):
            yield _moved(rule.skip, period, backwards=any(number < -28 for number in numbers))
    if any(abs(number) == 366 for number in rule.by_year_day):
        if rule.skip is Skip.OMIT:
            yield "leaving out years without that day"
        else:
            yield _moved(rule.skip, "year", backwards=-366 in rule.by_year_day)


def _moved(skip: Skip, period: str, *, backwards: bool) -> str:
    if backwards:
        return f"on the day {'before' if skip is Skip.BACKWARD else 'after'} where a {period} has no such day"
    if skip is Skip.BACKWARD:
        return f"in shorter {period}s on the last day"
    return f"after shorter {period}s on the first day of the next"


def _week_start_matters(rule: Rule) -> bool:
    weeks_differ = rule.interval > 1 and bool(rule.by_day)
    return bool(rule.by_week_number) or (
        rule.frequency is Frequency.WEEKLY and (weeks_differ or bool(rule.by_set_position))
    )


def _end(rule: Rule) -> Iterator[str]:
    if rule.count is not None:
        yield times(rule.count)
    if rule.until is not None:
        yield f"until {moment(rule.until)}"


def _months(rule: Rule) -> str:
    return listed_numbers(rule.by_month, lambda month: MONTHS[month - 1])


def _month_days(rule: Rule) -> str:
    return listed_numbers(
        rule.by_month_day, lambda day: f"the {numbered(day)}" if day > 0 else f"the {ordinal(day)} day"
    )


def _year_day(day: int) -> str:
    return f"day {day}" if day > 0 else f"the {ordinal(day)} day"


def _week(week: int) -> str:
    return f"week {week}" if week > 0 else f"the {ordinal(week)} week"
