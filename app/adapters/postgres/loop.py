"""The event loop that asyncpg believes in: futures, callbacks, timers and sockets, all made of trio.

No second event loop runs. asyncpg is a state machine over bytes that waits on futures; `driver.drive` steps its
coroutines from trio tasks, and this class answers what they ask of a loop. Whatever is not answered here raises
`NotImplementedError` (from `asyncio.AbstractEventLoop`), so that an upgrade of asyncpg cannot use it unnoticed.
`docs/postgres.md` lists every surface. Everything here runs on trio's thread.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVarTuple

import trio

from app.adapters.postgres import connecting
from app.adapters.postgres.driver import Detached
from monitoring import logs

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine
    from contextvars import Context

    from app.adapters.postgres.transport import SocketTransport

Ts = TypeVarTuple("Ts")

log = logs.get_logger("postgres")


class Callback:
    """A scheduled call that can be taken back: the part of `asyncio.Handle` that is used."""

    __slots__ = ("args", "context", "function", "timer")

    def __init__(self, function: Callable[..., object], args: tuple[Any, ...], context: Context | None = None) -> None:
        self.function: Callable[..., object] | None = function
        self.args = args
        self.context = context
        self.timer: trio.CancelScope | None = None

    def cancel(self) -> None:
        """Forget the call."""
        self.function = None
        if self.timer is not None:
            self.timer.cancel()

    def run(self) -> None:
        """Call, unless cancelled."""
        if self.function is None:
            return
        if self.context is None:
            self.function(*self.args)
        else:
            self.context.run(self.function, *self.args)


class TrioLoop(asyncio.AbstractEventLoop):
    """An asyncio loop without a loop: trio schedules, this translates."""

    def __init__(self) -> None:
        self._ready: deque[Callback] = deque()
        self._nursery: trio.Nursery | None = None
        self._life = trio.CancelScope(shield=True)
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign] # one call less per query

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until `stop`. Not cancellable: connections must outlive the queries that still use them.

        What asyncpg does in the background lives in the nursery opened here; a bug there leaves as a group.
        """
        with self._life:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                await trio.sleep_forever()
        self._nursery = None

    def stop(self) -> None:
        """End `run` and with it every socket and timer."""
        self._life.cancel()

    def enter(self, function: Callable[[*Ts], object], *args: *Ts) -> None:
        """Run synchronous asyncpg code as if from within this loop, then the callbacks it scheduled."""
        outer = _get_running_loop()
        _set_running_loop(self)
        try:
            function(*args)
            self.drain()
        finally:
            _set_running_loop(outer)

    def drain(self) -> None:
        """Run the callbacks that wait, and those they add. The loop must be entered."""
        ready = self._ready
        while ready:
            ready.popleft().run()

    async def open_socket(self, function: Callable[[*Ts], Awaitable[socket.socket]], *args: *Ts) -> socket.socket:
        """Connect in the background. Asyncio-flavoured.

        Cancelling it ends the attempt, and closes the socket if that has just been opened.

        Raises:
            OSError: What prevented it; `ValueError` likewise.
        """
        future: asyncio.Future[socket.socket] = self.create_future()
        scope = trio.CancelScope()
        future.add_done_callback(lambda done: scope.cancel() if done.cancelled() else None)
        self.start_soon(self._open_socket, future, scope, function, *args)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().close()
            raise

    async def _open_socket(
        self,
        future: asyncio.Future[socket.socket],
        scope: trio.CancelScope,
        function: Callable[[*Ts], Awaitable[socket.socket]],
        *args: *Ts,
    ) -> None:
        with scope:
            try:
                sock = await function(*args)
            except (OSError, ValueError) as error:  # ValueError: a name that cannot be a host's
                if not future.done():
                    self.enter(future.set_exception, error)
                return
            if future.done():
                sock.close()
            else:
                self.enter(future.set_result, sock)

    def start_soon(self, function: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> None:
        """Start a background task that lives at most as long as the loop.

        Raises:
            ConnectionError: The loop has ended.
        """
        if self._nursery is None:
            raise ConnectionError("the connection to the database is shut down")
        self._nursery.start_soon(function, *args)

    # What asyncpg asks of a loop.

    def get_debug(self) -> bool:
        """Return False: asyncio's debug mode is not for us."""
        return False

    def is_closed(self) -> bool:
        """Return whether sockets and timers are gone."""
        return self._nursery is None

    def is_running(self) -> bool:
        """Return whether sockets and timers work."""
        return self._nursery is not None

    def time(self) -> float:
        """Return trio's clock in seconds."""
        return trio.current_time()

    def call_soon(  # type: ignore[override] # returns the part of Handle that is used
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """Schedule a call for the end of the current `enter`."""
        handle = Callback(callback, args, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override] # returns the part of TimerHandle that is used
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """Schedule a call for a moment of trio's clock. One task per timer: timers are rare here."""
        handle = Callback(callback, args, context)
        handle.timer = trio.CancelScope()
        self.start_soon(self._ring_at, when, handle, handle.timer)
        return handle

    def call_later(  # type: ignore[override] # as call_at
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Callback:
        """Schedule a call in so many seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    async def _ring_at(self, when: float, handle: Callback, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep_until(when)
        if not scope.cancelled_caught:
            self.enter(handle.run)

    def create_task(  # type: ignore[override] # a future with the parts of Task that are used
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> Detached:
        """Step a coroutine of asyncpg in the background."""
        del name, context  # trio copies the context by itself
        task = Detached(self, coro)
        self.start_soon(task.run)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Log what asyncio would have logged: an error nobody waits for."""
        log.warning("asyncpg reported a problem", event="database.driver.problem", problem=str(context.get("message")))

    async def create_unix_connection(  # type: ignore[override] # the arguments that are used
        self, protocol_factory: Callable[[], asyncio.Protocol], path: str
    ) -> tuple[SocketTransport, asyncio.Protocol]:
        """Connect to a Unix socket. Asyncio-flavoured."""
        stream = await self.open_socket(connecting.open_unix, path)
        return connecting.begin(self, stream, protocol_factory())

    async def create_connection(  # type: ignore[override] # the arguments that are used
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        ssl: ssl.SSLContext | None = None,
    ) -> tuple[SocketTransport, asyncio.Protocol]:
        """Connect over TCP, with TLS from the first byte if a context is given. Asyncio-flavoured."""
        stream = await self.open_socket(connecting.open_tcp, host, port)
        if ssl is None:
            return connecting.begin(self, stream, protocol_factory())
        return await connecting.begin_tls(self, stream, protocol_factory(), ssl, host)

    async def start_tls(  # type: ignore[override] # the arguments that are used
        self,
        transport: SocketTransport,
        protocol: asyncio.Protocol,
        sslcontext: ssl.SSLContext,
        *,
        server_hostname: str,
    ) -> SocketTransport:
        """Do the TLS handshake on an open transport and return the same transport. Asyncio-flavoured."""
        del protocol  # asyncpg sets the next one itself
        await transport.start_tls(sslcontext, server_hostname)
        return transport
