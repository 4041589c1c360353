"""An account: who somebody is here, as asked for and as stored."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.errors import FieldError, ValidationFailedError
from app.domain.unset import UNSET, Unset

NAME_CHARACTERS: Final = 200
# RFC 5321, 4.5.3.1.3: a path is at most 256 octets, its brackets included.
EMAIL_CHARACTERS: Final = 254

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When reminders keep quiet, on the account's wall clock; may span midnight."""

    start: time
    end: time

    def over(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the first instant from a moment on that is not quiet, in UTC."""
        here = moment.astimezone(zone)
        clock, day = here.time(), here.date()
        if self.start < self.end:
            is_quiet = self.start <= clock < self.end
        else:
            is_quiet = clock >= self.start or clock < self.end
            day += timedelta(days=clock >= self.start)
        return datetime.combine(day, self.end, zone).astimezone(UTC) if is_quiet else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHoursChanges:
    """One end or both of the quiet hours; what is `UNSET` is not touched."""

    start: time | Unset = UNSET
    end: time | Unset = UNSET

    def of(self, current: QuietHours | None) -> QuietHours:
        """Return the quiet hours as they will be.

        Raises:
            ValidationFailedError: There are none yet and an end is missing, or they would begin when they end.
        """
        start = current.start if self.start is UNSET and current is not None else self.start
        end = current.end if self.end is UNSET and current is not None else self.end
        if isinstance(start, Unset) or isinstance(end, Unset):
            missing = [name for name, value in (("from", start), ("to", end)) if isinstance(value, Unset)]
            raise ValidationFailedError(
                FieldError(f"quietHours.{name}", "required", "Must be given: there are no quiet hours yet.")
                for name in missing
            )
        if start == end:
            raise ValidationFailedError.of("quietHours", "invalid", "Must not begin and end at the same time.")
        return QuietHours(start=start, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDraft:
    """A new account as asked for."""

    email: str
    password: str
    name: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an account says about itself, and may change.

    Attributes:
        time_zone: IANA name.
        week_start: English name of a weekday in lower case.
    """

    name: str = ""
    time_zone: str = "UTC"
    week_start: str = "monday"
    quiet_hours: QuietHours | None = None

    def changed(self, changes: "ProfileChanges") -> "Profile":
        """Return the profile with the named fields changed; the same value when nothing is different.

        Raises:
            ValidationFailedError: The quiet hours make no sense.
        """
        named = {field.name: getattr(changes, field.name) for field in fields(changes)}
        if isinstance(changes.quiet_hours, QuietHoursChanges):
            named["quiet_hours"] = changes.quiet_hours.of(self.quiet_hours)
        return replace(self, **{name: value for name, value in named.items() if value is not UNSET})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanges:
    """Some fields of the profile; what is `UNSET` is not touched.

    Attributes:
        week_start: English name of a weekday in lower case.
        quiet_hours: None turns them off.
    """

    name: str | Unset = UNSET
    time_zone: str | Unset = UNSET
    week_start: str | Unset = UNSET
    quiet_hours: QuietHours | QuietHoursChanges | Unset | None = UNSET
