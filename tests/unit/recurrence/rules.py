"""Random rules of RFC 5545 for the tests of this package, and how its properties are tried."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings

# The same examples in every run. Rules are drawn whole, so those that never yield must be thrown away.
STEADY = settings(derandomize=True, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONG = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
SHORT = ("HOURLY", "MINUTELY", "SECONDLY")


def random_rule(random: Random, anchor: datetime) -> str:
    """Return a rule of RFC 5545 that has an end, often, and yields something, nearly always."""
    frequency = random.choices((*LONG, *SHORT), weights=(3, 6, 4, 4, 1, 1, 1))[0]
    parts = {"FREQ": frequency}
    if random.random() < 0.5:
        parts["INTERVAL"] = str(random.choice((1, 2, 3, 4, 5, 7, 12, 18)))
    end = random.random()
    if end < 0.25:
        parts["COUNT"] = str(random.randint(1, 8))
    elif end < 0.5:
        parts["UNTIL"] = (anchor + timedelta(days=random.randint(0, 1200))).strftime("%Y%m%dT%H%M%S")
    if random.random() < 0.4:
        parts["WKST"] = random.choice(DAYS)
    if frequency in LONG:
        add_days(random, parts)
    add_times(random, parts)
    add_positions(random, parts, anchor)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def add_days(random: Random, parts: dict[str, str]) -> None:
    """Add BYMONTH … BYDAY as far as the frequency allows them."""
    frequency = parts["FREQ"]
    if random.random() < 0.3:
        parts["BYMONTH"] = some(random, range(1, 13))
    if frequency == "YEARLY" and random.random() < 0.2:
        parts["BYWEEKNO"] = some(random, (*range(1, 52), -1, -2, -10))
        parts["BYDAY"] = some(random, DAYS)
        return
    if frequency == "YEARLY" and random.random() < 0.2:
        parts["BYYEARDAY"] = some(random, (1, 59, 60, 61, 100, 200, 365, 366, -1, -2, -100, -306, -366))
    if frequency != "WEEKLY" and random.random() < 0.3:
        parts["BYMONTHDAY"] = some(random, (*range(1, 32), -1, -2, -3, -28, -29, -30, -31))
    if random.random() < 0.45:
        of_month = frequency == "MONTHLY" or "BYMONTH" in parts
        ordinals = (1, 2, 3, 4, 5, -1, -2) if of_month else (1, 2, 10, 20, 52, 53, -1, -53)
        numbered = frequency in {"YEARLY", "MONTHLY"} and random.random() < 0.5
        parts["BYDAY"] = some(random, [f"{random.choice(ordinals)}{day}" for day in DAYS] if numbered else DAYS)


def add_times(random: Random, parts: dict[str, str]) -> None:
    """Add BYHOUR, BYMINUTE and BYSECOND."""
    for name, size in (("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 60)):
        if random.random() < 0.15:
            parts[name] = some(random, range(0, size, 1 if name == "BYHOUR" else 15))


def add_positions(random: Random, parts: dict[str, str], anchor: datetime) -> None:
    """Add BYSETPOS where a period can have several occurrences; dateutil starts the anchor's week with the anchor."""
    expands = {
        "DAILY": {"BYHOUR", "BYMINUTE", "BYSECOND"},
        "HOURLY": {"BYMINUTE", "BYSECOND"},
        "MINUTELY": {"BYSECOND"},
        "SECONDLY": set(),
    }.get(parts["FREQ"], {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYHOUR", "BYMINUTE", "BYSECOND"})
    if parts.keys() & expands and random.random() < 0.4:
        parts["BYSETPOS"] = f"{some(random, (1, 2, 3, -2))},-1"
        if parts["FREQ"] == "WEEKLY":
            parts["WKST"] = DAYS[anchor.weekday()]


def some(random: Random, values: Any) -> str:
    """Return one to four of the values, as a list in a rule."""
    return ",".join(str(value) for value in random.sample(list(values), random.choice((1, 1, 2, 4))))
