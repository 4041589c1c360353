"""What a supervisor tells the outside: each fact in exactly one report, and the state of now in a snapshot."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a child is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    RESTARTING = "restarting"  # waits for its next attempt
    STOPPED = "stopped"
    STUCK = "stuck"  # outlived its cancellation


class Exit(Enum):
    """Why an incarnation ended."""

    NORMAL = "normal"  # returned
    CRASHED = "crashed"  # raised
    SHUTDOWN = "shutdown"  # was told to
    IGNORED = "ignored"  # had nothing to do here
    NOT_STARTED = "not_started"  # raised, returned or took too long before it was ready


class Event(Enum):
    """What a report is about. Every exception of a child is the `error` of exactly one report."""

    STARTED = "started"
    START_FAILED = "start_failed"
    EXITED = "exited"
    SHUTDOWN_ERROR = "shutdown_error"  # raised while being stopped
    SHUTDOWN_TIMEOUT = "shutdown_timeout"  # did not end when told to; is cancelled now
    STUCK = "stuck"
    RESTARTING = "restarting"  # paid for; the attempt follows after `delay`
    GAVE_UP = "gave_up"


# What `stop()` returns.
COMPLAINTS = frozenset({Event.SHUTDOWN_ERROR, Event.SHUTDOWN_TIMEOUT, Event.STUCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One fact.

    Attributes:
        event: What happened.
        supervisor: To whose child.
        child: Which child.
        incarnation: Which life of it: 1, 2, … (RESTARTING, GAVE_UP: the one that failed)
        at: When, in seconds of trio's clock.
        reason: Why it ended (EXITED, START_FAILED, SHUTDOWN_ERROR).
        error: What it raised.
        attempt: Which attempt since it was last healthy (RESTARTING).
        delay: Seconds until the attempt (RESTARTING).
        stack: Where it hangs (STUCK, SHUTDOWN_TIMEOUT).
    """

    event: Event
    supervisor: str
    child: str
    incarnation: int
    at: float
    reason: Exit | None = None
    error: BaseException | None = None
    attempt: int = 0
    delay: float = 0.0
    stack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One life of a child, and what it answered when it was ready."""

    id: str
    incarnation: int
    started_at: float
    info: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastExit:
    """How the life before ended; `at` in seconds of trio's clock."""

    reason: Exit
    at: float
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSnapshot:
    """A child as it is now; instants in seconds of trio's clock."""

    id: str
    kind: str
    restart: str
    significant: bool
    state: State
    incarnation: int
    started_at: float | None
    restarts: int
    last_exit: LastExit | None
    attempt: int
    next_attempt_at: float | None
    details: object
    below: "SupervisorSnapshot | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorSnapshot:
    """A supervisor as it is now, its children in the order they start."""

    id: str
    at: float
    state: State
    strategy: str
    intensity: float
    period: float
    restarts_in_period: int
    children: tuple[ChildSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many children there are, and how many of them run."""

    specs: int
    active: int
    supervisors: int
    workers: int
