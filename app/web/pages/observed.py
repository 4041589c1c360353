"""Wraps an ASGI application so that its requests are seen like the API's, and every response is guarded."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from app.web.api.observing import Meter, Observation
from app.web.api.request import Message, Receive, Request, Scope, Send
from app.web.security import SECURITY_HEADERS

# Where the application finds the request's id in its scope.
REQUEST_ID: Final = "rondo.request_id"

ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


class Observed:
    """Adds request ids, security headers, metrics, an access line and a span."""

    def __init__(self, application: ASGIApplication, route_of: Callable[[str], str]) -> None:
        """Wrap.

        Args:
            application: Answers.
            route_of: Returns the route's name for a path; few names, whatever is asked for.
        """
        self._application = application
        self._route_of = route_of
        self._meters: dict[tuple[str, str], Meter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, `http`)."""
        request = Request.of(scope, receive)
        meter = self._meter(request.method, self._route_of(request.path))
        with Observation(request, request.given_id or str(uuid.uuid4()), meter) as seen:
            scope[REQUEST_ID] = seen.request_id
            await self._application(scope, receive, _guarded(seen, send))

    def _meter(self, method: str, route: str) -> Meter:
        meter = self._meters.get((method, route))
        if meter is None:
            meter = Meter(method, route)
            self._meters[meter.method, route] = meter
        return meter


def _guarded(seen: Observation, send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            message["headers"] = [*_with_cache_control(message["headers"]), *SECURITY_HEADERS, *seen.headers()]
        else:
            seen.size += len(message.get("body", b""))
        await send(message)

    return guarded


def _with_cache_control(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    lowered = [(name.lower(), value) for name, value in headers]
    if any(name == b"cache-control" for name, _ in lowered):
        return lowered
    return [*lowered, (b"cache-control", b"no-store")]
