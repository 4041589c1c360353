"""One request and its response, as the two callables that ASGI hands to an application."""

from typing import TYPE_CHECKING

import trio

from app.web.server import problems
from app.web.server.asgi import DISCONNECT, ClientDisconnectedError, Message
from app.web.server.parsing import Request
from app.web.server.problems import Refusal
from app.web.server.responses import CONTINUE, LAST_CHUNK, Head, chunk

if TYPE_CHECKING:
    from app.web.server.http1 import Http1Connection

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Exchange:
    """Turns `receive` and `send` into reads and writes of the connection.

    The head waits for the first piece of the body, so that a short response is one system call.
    """

    __slots__ = (
        "_begun",
        "_body_ended",
        "_chunked",
        "_connection",
        "_continued",
        "_finished",
        "_gone",
        "_head",
        "_keep_alive",
        "_left",
        "_refused",
        "_request",
        "_silent",
    )

    def __init__(self, connection: "Http1Connection", request: Request) -> None:
        self._connection = connection
        self._request = request
        self._head: Head | None = None
        self._begun = False
        self._finished = False
        # Nobody is there to read, or the edge has answered by itself.
        self._gone = False
        self._keep_alive = request.keep_alive
        self._chunked = False
        # Bytes of the body that the application still owes, if it said how many there are.
        self._left: int | None = None
        self._body_ended = False
        self._continued = not request.expects_continue
        self._silent = request.method == "HEAD"
        self._refused = False

    # receive

    async def receive(self) -> Message:
        """Return the next piece of the body, or `http.disconnect` when nobody waits for a response any more."""
        request = self._request
        if self._finished or self._gone:
            await trio.lowlevel.checkpoint()
            return {"type": DISCONNECT}
        if self._body_ended:
            await self._connection.wait_disconnect()
            return {"type": DISCONNECT}
        if not (request.chunks or request.complete):
            await self._wait_body()
            if not (request.chunks or request.complete):
                return {"type": DISCONNECT}
        body = request.chunks[0] if len(request.chunks) == 1 else b"".join(request.chunks)
        request.chunks.clear()
        self._body_ended = request.complete
        return {"type": "http.request", "body": body, "more_body": not request.complete}  # noqa: ASYNC910 # no turn of the loop per message: see the module

    async def _wait_body(self) -> None:  # noqa: ASYNC910 # no turn of the loop per message: see the module
        """Wait for a piece of the body or its end; if neither comes, the client gets the reason."""
        request = self._request
        try:
            if not (self._continued or self._begun):
                self._continued = True
                await self._connection.stream.send_all(CONTINUE)
            while not (request.chunks or request.complete):
                if not await self._connection.read_body():
                    await self._give_up()
                    return
        except _GONE:
            self._gone = True

    async def _give_up(self) -> None:  # noqa: ASYNC910 # no turn of the loop per message: see the module
        refusal = self._connection.refusal
        if refusal is not None and not self._begun:
            await self._refuse(refusal)
        self._gone = True

    # send

    async def send(self, message: Message) -> None:  # noqa: ASYNC910 # no turn of the loop per message: see the module
        """Send a part of the response. *Not a checkpoint* when it is the last and the kernel takes it at once.

        Raises:
            ClientDisconnectedError: nobody reads it.
            ValueError: it is not a response: a header holds a line break, or the body has another length than was said.
        """
        kind = message["type"]
        if kind == "http.response.body":
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))
        elif kind == "http.response.start" and self._head is None:
            self._head = Head(message["status"], message.get("headers", ()))
        else:
            raise ValueError(f"{kind} is not expected here")

    async def _send_body(self, body: bytes, *, more: bool) -> None:  # noqa: ASYNC910 # no turn of the loop per message: see the module
        if self._head is None or self._finished:
            raise ValueError("http.response.body is not expected here")
        if self._gone:
            # An endless stream must not hold the thread, even if it ignores the error.
            await trio.lowlevel.checkpoint()
            raise ClientDisconnectedError("the client left")
        data = self._framed(body, last=not more) if self._begun else self._first(self._head, body, last=not more)
        self._finished = not more
        if data:
            try:
                await self._connection.stream.send_all(data)
            except _GONE as error:
                self._gone = True
                raise ClientDisconnectedError("the client left") from error
        if more:
            await trio.lowlevel.checkpoint()

    def _first(self, head: Head, body: bytes, *, last: bool) -> bytes:
        """Return the head and the first piece of the body, and settle how its end is told."""
        request = self._request
        edge = self._connection.edge
        lines = [] if head.dated else [edge.dates.line()]
        self._silent = self._silent or head.bodiless
        if line := self._length_line(head, body, last=last):
            lines.append(line)
        if head.closes or edge.draining or not (self._continued or request.complete):
            # Without 100 Continue the client may send its body or not: what follows could be either.
            self._keep_alive = False
        if not self._keep_alive:
            lines.append(b"connection: close\r\n")
        elif request.http_version == "1.0":
            lines.append(b"connection: keep-alive\r\n")
        data = head.serialize(*lines) + self._framed(body, last=last)
        self._begun = True
        return data

    def _length_line(self, head: Head, body: bytes, *, last: bool) -> bytes:
        length = head.length
        if length is None and last and (body or not self._silent):
            length = len(body)
        self._left = length
        if length is not None:
            return b"" if head.status == 204 else b"content-length: %d\r\n" % length
        if self._silent:
            return b""
        if self._request.http_version == "1.1":
            self._chunked = True
            return b"transfer-encoding: chunked\r\n"
        self._keep_alive = False
        return b""

    def _framed(self, body: bytes, *, last: bool) -> bytes:
        if self._silent:
            return b""
        if self._chunked:
            return chunk(body) + LAST_CHUNK if last else chunk(body)
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (last and self._left):
                raise ValueError("the body has another length than its content-length")
        return body

    # the end

    async def conclude(self) -> bool:
        """Make sure that the client gets a whole response or notices that it did not; tell whether it may go on."""
        connection = self._connection
        if not (self._begun or self._gone):
            await self._refuse(problems.INTERNAL)
        if self._refused or (self._finished and not (self._keep_alive or self._request.complete)):
            await connection.linger()
        elif not self._finished:
            connection.abort()
        return self._keep_alive and self._finished and not self._gone  # noqa: ASYNC910 # no turn of the loop per message: see the module

    async def _refuse(self, refusal: Refusal) -> None:
        self._gone = self._refused = True
        request = self._request
        answer = self._connection.edge.refusal(refusal, request.headers, request.method)
        await self._connection.stream.send_all(answer)
