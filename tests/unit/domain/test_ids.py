from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from app.domain.ids import IdSource

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_7_that_says_when_it_was_made() -> None:
    made = IdSource().new(NOON)

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(NOON.timestamp() * 1000)


def test_ids_of_one_millisecond_increase() -> None:
    source = IdSource()

    made = [source.new(NOON) for _ in range(10_000)]

    assert made == sorted(made)
    assert len(set(made)) == 10_000


def test_ids_increase_when_the_clock_steps_back_a_little() -> None:
    source = IdSource()

    assert source.new(NOON) < source.new(NOON - timedelta(seconds=5))


def test_ids_follow_a_clock_that_was_set_right() -> None:
    source = IdSource()
    source.new(NOON + timedelta(days=1))

    assert source.new(NOON).int >> 80 == int(NOON.timestamp() * 1000)
