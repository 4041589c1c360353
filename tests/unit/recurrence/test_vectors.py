"""The vectors of the design: each with its source in `vectors.json`."""

import json
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.recurrence import (
    MissedPolicy,
    Recurrence,
    RecurrenceMode,
    next_occurrence,
    occurrences,
    parse_rule,
    preview,
    to_instant,
)

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
EXPAND = [pytest.param(vector, id=vector["id"]) for vector in VECTORS if vector["kind"] == "expand"]
COMPLETE = [pytest.param(vector, id=vector["id"]) for vector in VECTORS if vector["kind"] == "complete"]


def moment(text: str) -> Any:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


@pytest.mark.parametrize("vector", EXPAND)
def test_a_rule_expands_as_its_source_says(vector: dict[str, Any]) -> None:
    zone, anchor = ZoneInfo(vector["tz"]), datetime.fromisoformat(vector["dtstart"])
    rule, wanted = parse_rule(vector["rule"]), [moment(text) for text in vector["expect"]]

    found = [local for local in islice(occurrences(rule, anchor), len(wanted)) if isinstance(local, datetime)]
    seen = preview(Recurrence(rule=rule), start=anchor, zone=zone, count=len(wanted))

    assert [to_instant(local, zone) for local in found] == wanted
    assert list(seen) == found
    assert rule.text == vector["rule"]


@pytest.mark.accepts("R15")
@pytest.mark.parametrize("vector", COMPLETE)
def test_completing_leads_where_its_source_says(vector: dict[str, Any]) -> None:
    zone = ZoneInfo(vector["tz"])
    recurrence = Recurrence(
        rule=parse_rule(vector["rule"]),
        mode=RecurrenceMode.AFTER_COMPLETION if vector["mode"] == "after" else RecurrenceMode.SCHEDULE,
        missed=MissedPolicy.KEEP if vector["keep_missed"] else MissedPolicy.SKIP,
    )

    found = next_occurrence(
        recurrence,
        anchor=moment(vector["anchor"]),
        current=moment(vector["due"]),
        number=1,
        completed_at=to_instant(moment(vector["completed"]), zone),
        zone=zone,
    )

    assert found is not None
    assert (to_instant(found.due, zone) if isinstance(found.due, datetime) else found.due) == moment(vector["expect"])
