"""Recurrence: rules, their occurrences, clock changes, what comes next, and all of it in words.

Pure functions of their arguments: no clock, no log, no await. docs/recurrence.md is the map.
"""

from app.domain.recurrence.decision import NextOccurrence, next_occurrence
from app.domain.recurrence.expansion import check_start, occurrences
from app.domain.recurrence.parsing import parse_rule
from app.domain.recurrence.preview import number_of, preview
from app.domain.recurrence.rule import Frequency, InvalidRuleError, LocalMoment, Recurrence, Rule, Skip, Weekday
from app.domain.recurrence.words import describe
from app.domain.recurrence.zones import to_instant, to_local
from app.domain.task import MissedPolicy, RecurrenceMode

__all__ = [
    "Frequency",
    "InvalidRuleError",
    "LocalMoment",
    "MissedPolicy",
    "NextOccurrence",
    "Recurrence",
    "RecurrenceMode",
    "Rule",
    "Skip",
    "Weekday",
    "check_start",
    "describe",
    "next_occurrence",
    "number_of",
    "occurrences",
    "parse_rule",
    "preview",
    "to_instant",
    "to_local",
]
