"""Outside input becomes domain values here, once, or is refused with every fault named."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from app.domain.account import (
    EMAIL_CHARACTERS,
    NAME_CHARACTERS,
    WEEKDAYS,
    ProfileChanges,
    QuietHours,
    QuietHoursChanges,
    RegisterDraft,
)
from app.domain.checks import Checks, folded, unique_texts
from app.domain.recurrence import InvalidRuleError, parse_rule
from app.domain.task import (
    DESCRIPTION_BYTES,
    TAG_CHARACTERS,
    TAGS,
    TITLE_CHARACTERS,
    Due,
    RecurrenceChanges,
    RecurrenceSpec,
    TaskChanges,
    TaskDraft,
)
from app.domain.unset import UNSET, Unset

_Draft = TypeVar("_Draft", TaskDraft, TaskChanges, ProfileChanges)


def checked_draft(draft: TaskDraft) -> TaskDraft:
    """Return the draft as it will be kept.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    return _checked(draft, _TASK_CHECKS)


def checked_changes(changes: TaskChanges) -> TaskChanges:
    """Return the changes as they will be kept.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    return _checked(changes, _TASK_CHECKS)


def checked_profile(changes: ProfileChanges) -> ProfileChanges:
    """Return the changes of a profile as they will be kept.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    return _checked(changes, _PROFILE_CHECKS)


def checked_registration(draft: RegisterDraft) -> RegisterDraft:
    """Return the draft of an account as it will be kept; the password is left to `passwords`.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    checks = Checks()
    checked = replace(
        draft,
        email=_email(checks, draft.email),
        name=_name(checks, draft.name),
        time_zone=checks.time_zone("timeZone", draft.time_zone),
    )
    checks.finish()
    return checked


def email_key(email: str) -> str:
    """Return what makes two addresses the same."""
    return folded(email.strip())


def _checked(draft: _Draft, fields: Mapping[str, Callable[[Checks, Any], Any]]) -> _Draft:
    checks = Checks()
    kept = {}
    for field, check in fields.items():
        given = getattr(draft, field)
        if given is not UNSET and (checked := check(checks, given)) is not given:
            kept[field] = checked
    checks.finish()
    return replace(draft, **kept) if kept else draft


def _title(checks: Checks, title: str) -> str:
    return checks.text("title", title, least=1, most=TITLE_CHARACTERS)


def _description(checks: Checks, description: str) -> str:
    return checks.long_text("description", description, most_bytes=DESCRIPTION_BYTES)


def _tags(checks: Checks, tags: tuple[str, ...]) -> tuple[str, ...]:
    for index, tag in enumerate(tags[: TAGS + 1]):
        checks.text(f"tags.{index}", tag, least=1, most=TAG_CHARACTERS)
    kept = unique_texts(tags)
    if len(kept) > TAGS:
        checks.refuse("tags", "too_many", f"Must have at most {TAGS} tags.")
    return tags if kept == tags else kept


def _due(checks: Checks, due: Due | None) -> Due | None:
    if due is None:
        return None
    return checks.instant("dueDate", due) if isinstance(due, datetime) else checks.day("dueDate", due)


def _time_zone(checks: Checks, name: str | None) -> str | None:
    return None if name is None else checks.time_zone("timeZone", name)


def _recurrence(
    checks: Checks, asked: RecurrenceSpec | RecurrenceChanges | None
) -> RecurrenceSpec | RecurrenceChanges | None:
    if asked is None or isinstance(asked.rule, Unset):
        return asked
    try:
        parse_rule(asked.rule)
    except InvalidRuleError as error:
        checks.refuse("recurrence.rule", "invalid", str(error))
    return asked


def _email(checks: Checks, email: str) -> str:
    address = checks.text("email", email, least=3, most=EMAIL_CHARACTERS)
    local, at, domain = address.rpartition("@")
    plain = all(character.isprintable() and character not in ' @,;:<>()[]"\\' for character in local + domain)
    labels = domain.split(".")
    if not (local and at and plain and all(labels)) or local[0] == "." or local[-1] == "." or ".." in local:
        checks.refuse("email", "invalid", "Is not an email address.")
    return address


def _name(checks: Checks, name: str) -> str:
    return checks.text("name", name, least=0, most=NAME_CHARACTERS)


def _zone_of_account(checks: Checks, name: str) -> str:
    return checks.time_zone("timeZone", name)


def _week_start(checks: Checks, day: str) -> str:
    if day not in WEEKDAYS:
        checks.refuse("weekStart", "invalid", f"Must be one of {', '.join(WEEKDAYS)}.")
    return day


def _quiet_hours(checks: Checks, hours: QuietHours | QuietHoursChanges | None) -> QuietHours | QuietHoursChanges | None:
    if isinstance(hours, QuietHours) and hours.start == hours.end:
        checks.refuse("quietHours", "invalid", "Must not begin and end at the same time.")
    return hours


_TASK_CHECKS: Final[Mapping[str, Callable[[Checks, Any], Any]]] = {
    "title": _title,
    "description": _description,
    "tags": _tags,
    "due": _due,
    "time_zone": _time_zone,
    "recurrence": _recurrence,
}
_PROFILE_CHECKS: Final[Mapping[str, Callable[[Checks, Any], Any]]] = {
    "name": _name,
    "time_zone": _zone_of_account,
    "week_start": _week_start,
    "quiet_hours": _quiet_hours,
}
