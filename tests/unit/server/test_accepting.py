"""The accept loop when the process has no file left."""

import errno
import socket
from typing import Any

import trio
import trio.testing

from app.web.server.accepting import EXHAUSTED_SECONDS, Acceptor


class Exhausted:
    """A listening socket, readable for ever, that fails as accept(2) does; then it has nobody waiting."""

    def __init__(self, *errors: int) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.theirs.send(b"x")
        self.errors = list(errors)
        self.attempts = 0

    def fileno(self) -> int:
        return self.ours.fileno()

    def accept(self) -> Any:
        self.attempts += 1
        if self.errors:
            raise OSError(self.errors.pop(0), "failed")
        raise BlockingIOError

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


def nobody(_sock: object, _address: object) -> None:
    raise AssertionError("nobody was accepted")


async def test_a_full_process_pauses_before_it_tries_again(  # noqa: ASYNC910 # the loop under test waits
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    listener: Any = Exhausted(errno.EMFILE, errno.ENFILE, errno.ENOBUFS)
    began = trio.current_time()

    with trio.move_on_after(100):  # noqa: ASYNC912 # the loop under test waits
        nursery.start_soon(Acceptor(listener, nobody).run)
        while listener.errors:  # noqa: ASYNC110 # the loop under test has no event to wait for
            await trio.sleep(EXHAUSTED_SECONDS / 4)
    nursery.cancel_scope.cancel()
    listener.close()

    assert trio.current_time() - began >= 2 * EXHAUSTED_SECONDS


def test_a_client_that_left_while_it_waited_is_skipped() -> None:
    listener: Any = Exhausted(errno.ECONNABORTED, errno.ENETUNREACH)

    went_on = Acceptor(listener, nobody).accept_waiting()
    listener.close()

    assert went_on
    assert listener.attempts == 3


def test_a_full_process_is_told_apart_from_nobody_waiting() -> None:
    full: Any = Exhausted(errno.EMFILE)
    idle: Any = Exhausted()

    answers = [Acceptor(full, nobody).accept_waiting(), Acceptor(idle, nobody).accept_waiting()]
    full.close()
    idle.close()

    assert answers == [False, True]
