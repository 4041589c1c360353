import re

from app.domain import events


def test_every_event_has_an_audit_wording() -> None:
    types = {
        value
        for name, value in vars(events).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", value)
    }

    assert types
    assert types == set(events.EVENT_WORDING)
    assert all(events.EVENT_WORDING.values())
