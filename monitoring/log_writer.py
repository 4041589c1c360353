"""Writes finished lines to a stream, from a thread of its own.

A terminal that is paused, a pipe nobody reads, a full disk: none of them may stop the service.
So the caller only appends to a bounded buffer; when it is full, or the stream refuses, lines
are dropped and counted. Knows nothing about what is in a line.
"""

import atexit
import os
import select
import threading
import time
from collections.abc import Callable
from typing import IO, Any, TypeVar

from monitoring import metrics

# A burst of some ten thousand lines. More would only delay noticing that nobody reads.
CAPACITY_BYTES = 4 * 1024 * 1024
# Lines of one breath go out with one system call and one change of threads, which takes longer than writing a line.
_GATHER_SECONDS = 0.1
# So many lines are made in a row: a quarter of a millisecond.
ROW = 64
_DROPPED = metrics.LOG_RECORDS_DROPPED_TOTAL.labels("stream")

T = TypeVar("T")


class LineWriter:
    """A bounded buffer of lines and the thread that empties it."""

    def __init__(self, stream: IO[str], capacity_bytes: int = CAPACITY_BYTES) -> None:
        """Start the thread.

        Args:
            stream: Where to write. One with a file descriptor is written to directly, past its own buffer:
                a daemon thread must not hold a buffer's lock when the interpreter ends.
            capacity_bytes: How much may wait.
        """
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._capacity_bytes = capacity_bytes
        self._unmade: list[tuple[Callable[[Any], str], object]] = []
        self._text = bytearray()  # lines that wait; a list of them would be as many pieces of memory
        self._count = 0
        self._writing_bytes = 0
        self._closed = False
        # Re-entrant: a finaliser that logs may interrupt `write`.
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: bytes) -> None:
        """Take one line, its newline included. Never waits for the stream, never raises."""
        self.make()
        self._take(line, 1)

    def write_later(self, make: Callable[[T], str], what: T) -> None:
        """Take a line that `make` makes of `what` later, with others in a row. It must not raise anywhere.

        Every request writes such a line. The thread makes those of a quiet time; under load it would take the
        interpreter's lock from the caller again and again, so a full row is made here.
        """
        unmade = self._unmade
        unmade.append((make, what))
        if len(unmade) >= ROW:
            self.make()
        elif len(unmade) == 1:
            with self._changed:
                self._changed.notify_all()

    def make(self) -> None:
        """Make the lines that are to be made. No other thread makes any meanwhile: they keep their order."""
        with self._changed:
            row = self._unmade[:]
            del self._unmade[: len(row)]
            if not row:
                return
            lines = [make(what) for make, what in row]
            text = "".join(lines).encode()
            if len(text) <= self._room:
                self._take(text, len(lines))
            else:
                for line in lines:
                    self._take(line.encode(), 1)

    def _take(self, text: bytes, count: int) -> None:
        with self._changed:
            if len(text) > self._room:
                _DROPPED.inc(count)
            else:
                self._text += text
                self._count += count
            self._changed.notify_all()

    @property
    def _room(self) -> int:
        """How many bytes more may wait."""
        return -1 if self._closed else self._capacity_bytes - self._writing_bytes - len(self._text)

    def flush(self, seconds: float = 1.0) -> bool:
        """Wait until everything is written. Blocks the thread; return whether it came to that in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._unmade or self._text or self._writing_bytes), timeout=seconds
            )

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, as far as time allows, and take no more. Does not close the stream."""
        atexit.unregister(self.close)
        self.make()  # what is counted along with it is not lost, even if nobody reads the lines
        self.flush(seconds)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._unmade or self._text or self._closed)
                if not (self._unmade or self._text):
                    return
            time.sleep(_GATHER_SECONDS)
            with self._changed:
                self.make()
                text, count = self._text, self._count
                self._text, self._count = bytearray(), 0
                self._writing_bytes = len(text)
            self._put(text, count)
            with self._changed:
                self._writing_bytes = 0
                self._changed.notify_all()

    def _put(self, text: bytearray, count: int) -> None:
        try:
            if self._descriptor is None:
                self._stream.write(text.decode())
                self._stream.flush()
            else:
                _write_all(self._descriptor, text)
        except (OSError, ValueError):
            # EPIPE, ENOSPC, EIO, or a stream closed under us. Nobody is left to tell but the counter.
            _DROPPED.inc(count)


def _descriptor(stream: IO[str]) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # a stream in memory, or one that was closed
        return None


def _write_all(descriptor: int, data: bytearray) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # Somebody made the shared descriptor non-blocking (node and ssh do). Waiting is this thread's job.
            select.select([], [descriptor], [])
