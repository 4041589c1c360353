"""A bounded mailbox: one owner, any number of senders in trio's thread, and a named choice for when it is full.

It outlives the incarnations of its owner, so what waits in it survives a restart. A sender never crashes:
every send answers what became of the message, and a message nobody will read becomes a dead letter.
"""

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeVar

import trio

from actors.dead_letters import DeadLetter, DeadLetters
from actors.lifetime import Life, Lifetime
from actors.metering import Meter, Rate

T = TypeVar("T")


class Missed(Enum):
    """The type of `MISSED`."""

    MISSED = "missed"


# What the owner gets, once, in place of all messages that were dropped: look into the database.
MISSED: Final = Missed.MISSED


class WhenFull(Enum):
    """Who pays when a mailbox is full."""

    # The owner: the message is dropped and `MISSED` says so. For news of what the database has.
    DROP_AND_MARK_MISSED = "drop_and_mark_missed"
    # The sender: `tell` waits for room up to its limit; `tell_nowait` rejects.
    WAIT = "wait"
    # The message: every send is answered `REJECTED` at once.
    REJECT = "reject"


class Delivery(Enum):
    """What became of a message that was sent."""

    DELIVERED = "delivered"
    MISSED = "missed"  # dropped; the owner will be told to look
    REJECTED = "rejected"  # dropped: full
    DEAD = "dead"  # the owner has stopped: a dead letter


@dataclass(slots=True)
class _Slot(Generic[T]):
    message: T | Literal[Missed.MISSED]
    put_at: float
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSnapshot:
    """A mailbox as it is now."""

    name: str
    life: str
    depth: int
    capacity: int
    when_full: str
    oldest_seconds: float | None
    in_hand_seconds: float | None
    processed: int
    per_second: float
    full: int
    missed: int
    dead: int


# Whose mailbox the running code belongs to: it tells who asks whom.
current: ContextVar["Mailbox[Any] | None"] = ContextVar("actors_current_mailbox", default=None)


class Mailbox(Generic[T]):
    """A mailbox of messages of type T.

    Args:
        name: The owner's name, also the `actor` label of the metrics.
        capacity: How many messages may wait.
        when_full: Who pays when it is full.
        dead_letters: Where messages go that nobody will read.
        max_tries: How often a message is handed to an owner that crashes over it, before it becomes a dead letter.
            1: at most once. More only when handling it twice does no harm.
    """

    def __init__(
        self,
        name: str,
        *,
        capacity: int,
        when_full: WhenFull = WhenFull.DROP_AND_MARK_MISSED,
        dead_letters: DeadLetters | None = None,
        max_tries: int = 1,
    ) -> None:
        if capacity < 1 or max_tries < 1:
            raise ValueError(f"mailbox {name!r}: capacity and max_tries must be 1 or more")
        self.name, self.capacity, self.when_full, self.max_tries = name, capacity, when_full, max_tries
        self.lifetime = Lifetime(name)
        self._dead_letters = dead_letters
        self._queue: deque[_Slot[T]] = deque()
        self._control: deque[T] = deque()
        self._arrived = trio.Event()
        self._senders = trio.lowlevel.ParkingLot()
        self._closed = self._misses = False
        self._in_hand: _Slot[T] | None = None
        self._taken_at = 0.0
        self._rate = Rate()
        self._counts = {"full": 0, "missed": 0, "dead": 0}
        self._meter = Meter(name, when_full.value, capacity, lambda: self.depth)

    # --- Sending -----------------------------------------------------------------------------------

    def tell_nowait(self, message: T) -> Delivery:
        """Send, or say why not. Never waits, never raises. Not a checkpoint."""
        if self._closed:
            return self._bury(message, "stopped")
        if self._misses:
            self._counts["missed"] += 1
            return Delivery.MISSED
        if len(self._queue) < self.capacity:
            self._queue.append(_Slot(message, trio.current_time()))
            self._arrived.set()
            return Delivery.DELIVERED
        return self._refuse()

    async def tell(self, message: T, *, within_seconds: float) -> Delivery:
        """Send, waiting for room if `WhenFull.WAIT` says so. Never raises (but `Cancelled`)."""
        if self.when_full is WhenFull.WAIT:
            with trio.move_on_after(within_seconds):
                await self._wait_for_room()
        else:
            await trio.lowlevel.checkpoint()
        return self.tell_nowait(message)

    def tell_control(self, message: T) -> Delivery:
        """Send past all that waits and past the capacity: for the few messages that manage an actor."""
        if self._closed:
            return self._bury(message, "stopped")
        self._control.append(message)
        self._arrived.set()
        return Delivery.DELIVERED

    # --- Receiving: the owner only -----------------------------------------------------------------

    async def receive(self) -> T | Literal[Missed.MISSED]:
        """Return the next message, control messages first. The one before counts as done.

        A cancelled receive loses nothing.

        Raises:
            trio.EndOfChannel: It was closed, and all that waited has been received.
        """
        self._done()
        await trio.lowlevel.checkpoint()
        while not (self._queue or self._control):
            if self._closed:
                raise trio.EndOfChannel
            self._arrived = trio.Event()
            await self._arrived.wait()
        return self._take()

    def receive_nowait(self) -> T | Literal[Missed.MISSED] | None:
        """Return the next message if there is one; the one before counts as done. Not a checkpoint."""
        self._done()
        return self._take() if self._queue or self._control else None

    def skip(self, is_done: Callable[[T], bool]) -> None:
        """Count the next messages as done as well, as long as `is_done` says so: several at once are cheaper.

        Not a checkpoint.
        """
        self._done()
        while self._queue and not isinstance(message := self._queue[0].message, Missed) and is_done(message):
            self._queue.popleft()
            self._rate.count(trio.current_time())
        if len(self._queue) < self.capacity:
            self._senders.unpark_all()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T | Literal[Missed.MISSED]:
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def close(self, *, drain: bool = True) -> None:
        """Take no more. With `drain` the owner still gets what waits, without it that becomes dead letters.

        As the `ask` of a child it lets an actor finish its work and return.
        """
        self._closed = True
        if not drain:
            self._bury_all("stopped")
        self._arrived.set()
        self._senders.unpark_all()

    def __enter__(self) -> Self:
        """Begin an incarnation of the owner: `with mailbox:` around its loop makes its life visible to others."""
        self._closed = False
        self.lifetime.begin()
        self._token = current.set(self)
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: TracebackType | None) -> None:
        """End the incarnation: crashed, or stopped for good."""
        current.reset(self._token)
        crashed = isinstance(error, Exception)
        self._let_go(error)
        if not crashed:
            self.close(drain=False)
        self.lifetime.end(Life.RESTARTING if crashed else Life.STOPPED, error if crashed else None)

    # --- Looking -----------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return len(self._queue) - self._misses

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more."""
        return self._closed

    @property
    def is_busy(self) -> bool:
        """Whether the owner has a message in hand."""
        return self._in_hand is not None

    def snapshot(self) -> MailboxSnapshot:
        """Return it as it is now."""
        now = trio.current_time()
        return MailboxSnapshot(
            name=self.name,
            life=self.lifetime.state.value,
            depth=self.depth,
            capacity=self.capacity,
            when_full=self.when_full.value,
            oldest_seconds=now - self._queue[0].put_at if self._queue else None,
            in_hand_seconds=now - self._taken_at if self.is_busy else None,
            processed=self._rate.total,
            per_second=self._rate.per_second(now),
            **self._counts,
        )

    # --- Inside ------------------------------------------------------------------------------------

    async def _wait_for_room(self) -> None:
        await trio.lowlevel.checkpoint()
        while len(self._queue) >= self.capacity and not self._closed:
            await self._senders.park()

    def _refuse(self) -> Delivery:
        self._counts["full"] += 1
        self._meter.full.inc()
        if self.when_full is not WhenFull.DROP_AND_MARK_MISSED:
            return Delivery.REJECTED
        # Whatever comes until the owner looks is in the database by then: dropping it too keeps the order.
        self._misses = True
        self._counts["missed"] += 1
        self._queue.append(_Slot(MISSED, trio.current_time()))
        return Delivery.MISSED

    def _take(self) -> T | Literal[Missed.MISSED]:
        now = trio.current_time()
        slot: _Slot[T] = _Slot(self._control.popleft(), now) if self._control else self._queue.popleft()
        self._in_hand, self._taken_at = slot, now
        self._meter.waited.observe(now - slot.put_at)
        if slot.message is MISSED:
            self._misses = False
        if len(self._queue) < self.capacity:
            self._senders.unpark()
        return slot.message

    def _done(self) -> None:
        if self._in_hand is not None:
            now = trio.current_time()
            self._meter.took.observe(now - self._taken_at)
            self._rate.count(now)
            self._in_hand = None

    def _let_go(self, error: BaseException | None) -> None:
        """The owner ends with a message in hand: it is not handled, unless the owner returned."""
        slot, self._in_hand = self._in_hand, None
        if slot is None or error is None or slot.message is MISSED:
            return  # who missed something catches up when it starts again
        slot.tries += 1
        if isinstance(error, Exception) and slot.tries < self.max_tries:
            self._queue.appendleft(slot)
        else:
            self._bury(slot.message, "crashed" if isinstance(error, Exception) else "stopped", error)

    def _bury_all(self, reason: str) -> None:
        self._misses = False
        for slot in self._queue:
            if slot.message is not MISSED:
                self._bury(slot.message, reason)
        for message in self._control:
            self._bury(message, reason)
        self._queue.clear()
        self._control.clear()

    def _bury(self, message: T, reason: str, error: BaseException | None = None) -> Delivery:
        if self.when_full is WhenFull.DROP_AND_MARK_MISSED:  # only news: an owner that starts looks into the database
            self._counts["missed"] += 1
            return Delivery.MISSED
        self._counts["dead"] += 1
        if self._dead_letters is not None:
            self._dead_letters.add(DeadLetter.of(self.name, message, reason, error))
        return Delivery.DEAD
