"""The API as an ASGI application: `/api/*`, `/health*` and `/metrics` over the endpoint table, without a framework.

One request: find its route, take it through the layers of its endpoint, turn whatever comes back into one response,
and leave behind what observers need. This is the one place of the web that meets an exception nobody expected: it
becomes a 500 that says nothing but the request id, and a line in the log that says everything.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import trio

from app.domain.errors import NotFoundError, RateLimitedError
from app.domain.ids import new_id
from app.ports.clock import Clock
from app.web.answer import Answer, Header
from app.web.api.calling import Caller
from app.web.api.endpoint import Backend, Endpoint
from app.web.api.observing import UNMATCHED, Meter, Observation
from app.web.api.request import ClientGoneError, Receive, Request, Scope, Send
from app.web.api.router import Route, Router
from app.web.api.same_origin import SAFE_METHODS, SameOrigin
from app.web.errors import RequestRefusedError, answer_to, internal_error, problem
from app.web.security import SECURITY_HEADERS
from monitoring import logs, metrics

# Nothing here takes this long unless something is stuck. A read is one statement, and those have shorter limits of
# their own: waiting for a connection, and for its answer.
REQUEST_SECONDS: Final = 30.0

_EVERY_ANSWER: Final[tuple[Header, ...]] = (*SECURITY_HEADERS, (b"cache-control", b"no-store"))

log = logs.get_logger("http")


class Api:
    """Answers requests."""

    def __init__(self, table: Iterable[Endpoint], backend: Backend, clock: Clock, public_url: str | None) -> None:
        endpoints = tuple(table)
        same_origin = SameOrigin(public_url)
        self._clock = clock
        self._router = Router(endpoints)
        self._callers = {id(endpoint): Caller(endpoint, backend, same_origin) for endpoint in endpoints}
        self._meters: dict[tuple[str, str], Meter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, `http`)."""
        request = Request.of(scope, receive)
        found = self._router.find(request.path)
        request_id = request.given_id or str(new_id(self._clock.now()))
        meter = self._meter(request.method, UNMATCHED if found is None else found[0].path)
        with Observation(request, request_id, meter) as seen:
            try:
                answer = await self._answer(seen, found)
            except ClientGoneError:
                return
            seen.note(answer)
            await _send(seen, answer, send)

    def _meter(self, method: str, route: str) -> Meter:
        meter = self._meters.get((method, route))
        if meter is None:
            meter = Meter(method, route)
            self._meters[meter.method, route] = meter
        return meter

    async def _answer(self, seen: Observation, found: tuple[Route[Endpoint], UUID | str | None] | None) -> Answer:
        try:
            if seen.request.method in SAFE_METHODS or _has_own_limit(seen.request.method, found):
                return await self._route(seen, found)
            with trio.fail_after(REQUEST_SECONDS):
                return await self._route(seen, found)
        except trio.TooSlowError:
            log.exception("A request took too long.", event="http.request.too_slow", route=seen.meter.route)
            return problem("too_slow", "It may or may not have been done. Try again later.", seen.request_id)
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 # the edge of the web: a bug must cost its request, not the process
            return _refusal(error, seen)

    async def _route(self, seen: Observation, found: tuple[Route[Endpoint], UUID | str | None] | None) -> Answer:
        if found is None:
            raise NotFoundError
        route, id_ = found
        endpoint = route.methods.get(seen.request.method)
        if endpoint is not None:
            return await self._callers[id(endpoint)].answer(seen, id_)
        allow = ((b"allow", route.allow),)
        if seen.request.method == "OPTIONS":
            return Answer(204, headers=allow)
        methods = route.allow.decode()
        raise RequestRefusedError("method_not_allowed", f"Only {methods} can be used here.", allow)


def _has_own_limit(method: str, found: tuple[Route[Endpoint], UUID | str | None] | None) -> bool:
    """Return whether the use case bounds its own time: a timer for each request costs as much as a query."""
    endpoint = None if found is None else found[0].methods.get(method)
    return endpoint is not None and endpoint.own_limit


def _refusal(error: Exception, seen: Observation) -> Answer:
    if isinstance(error, RateLimitedError):
        metrics.HTTP_RATE_LIMITED_TOTAL.labels(seen.meter.route, error.scope).inc()
    answer = answer_to(error, seen.request_id)
    if answer is not None:
        return answer
    if seen.span is not None:
        seen.span.set_error(type(error).__qualname__)
    log.opt(exception=error).error("A request failed.", event="http.request.failed", route=seen.meter.route)
    return internal_error(seen.request_id)


async def _send(seen: Observation, answer: Answer, send: Send) -> None:
    headers = [*_EVERY_ANSWER, *seen.headers(), *answer.headers]
    is_silent = seen.request.method == "HEAD"
    if answer.body or answer.write_to is not None:
        headers.append((b"content-type", answer.content_type))
    if answer.status not in {204, 304} and answer.write_to is None:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def write(piece: bytes) -> None:
        seen.size += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    if answer.write_to is not None and not is_silent:
        await answer.write_to(write)
    await send({"type": "http.response.body", "body": b"" if is_silent else answer.body})
