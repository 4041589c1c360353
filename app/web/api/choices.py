"""Closed sets of words that are texts inside and an enumeration on the wire."""

from enum import StrEnum


class Weekday(StrEnum):
    """The days a week can start with."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
