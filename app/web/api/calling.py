"""Takes one request through the layers of its endpoint: who, may they, how often, what exactly. Then calls it.

The order is the order in which something can be told to a stranger: nothing about bodies or ids before it is known who
asks, and nothing about a thing before it is known that they may see it.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from app.domain.errors import FieldError, ForbiddenError, ValidationFailedError
from app.services.context import Context, Principal
from app.web.answer import Answer
from app.web.api import credentials, idempotency, media_types, preconditions, strict_json
from app.web.api.endpoint import Auth, Backend, Call, Endpoint, Limit
from app.web.api.observing import Observation
from app.web.api.reading import StructReader
from app.web.api.request import Request, parse_query
from app.web.api.same_origin import SAFE_METHODS, SameOrigin
from app.web.errors import RequestRefusedError
from monitoring import metrics

_JSON: Final = "application/json"
_MERGE_PATCH: Final = "application/merge-patch+json"
# Clients ask for the same lists again and again. Bounded in number and length, so in memory too.
KEPT_QUERIES: Final = 256
KEPT_QUERY_BYTES: Final = 200


class Caller:
    """The layers in front of one endpoint, prepared once."""

    def __init__(self, endpoint: Endpoint, backend: Backend, same_origin: SameOrigin) -> None:
        self.endpoint = endpoint
        self._backend = backend
        self._same_origin = same_origin
        self._query = StructReader(endpoint.query, from_text=True)
        self._no_query = self._query.read({})  # a frozen value, so one is enough
        self._known_query = lru_cache(KEPT_QUERIES)(self._parsed_query)
        self._body = StructReader(endpoint.body, endpoint.read_only) if endpoint.body is not None else None
        self._media_types = (_JSON, _MERGE_PATCH) if endpoint.merge_patch else (_JSON,)
        self._replays = metrics.HTTP_IDEMPOTENT_REPLAYS_TOTAL.labels(endpoint.path) if endpoint.idempotent else None

    async def answer(self, seen: Observation, id_: Any) -> Answer:
        """Check, read and call. Every refusal is an exception that `app.web.errors` knows."""
        request = seen.request
        principal = await self._authenticate(request)
        if principal is None:
            return await self._call(seen, None, id_)
        seen.note_account(principal.account_id)
        return await self._call(seen, principal, id_)

    async def _authenticate(self, request: Request) -> Principal | None:
        if self.endpoint.auth is Auth.PUBLIC:
            if request.method not in SAFE_METHODS:
                self._same_origin.check_not_foreign(request)
            return None
        backend = self._backend
        principal = await credentials.authenticate(
            request, backend.services.accounts, self._same_origin, backend.cookies
        )
        if self.endpoint.auth is Auth.OPERATOR and not principal.operator:
            raise ForbiddenError("Only an operator may do this.")
        return principal

    async def _call(self, seen: Observation, principal: Principal | None, id_: Any) -> Answer:
        endpoint, request = self.endpoint, seen.request
        context = Context(
            principal=principal,
            request_id=seen.request_id,
            traceparent=seen.traceparent,
            address=request.address,
            client=request.client,
        )
        if endpoint.limit is Limit.CALLS and principal is not None:
            self._backend.services.accounts.check_rate(context)
        query = self._read_query(request)
        body, key = await self._read_body(request)
        call = Call(
            context=context if key is None else replace(context, idempotency=key),
            request=request,
            body=body,
            query=query,
            id=id_ if isinstance(id_, UUID) else None,
            name=id_ if isinstance(id_, str) else "",
            if_match=preconditions.parse("If-Match", request.header(b"if-match")) if endpoint.if_match else None,
            if_none_match=self._known_versions(request),
        )
        answer = await endpoint.handler(self._backend, call)
        if self._replays is not None and answer.replayed:
            self._replays.inc()
        return answer

    def _known_versions(self, request: Request) -> preconditions.EntityTags | None:
        if not (self.endpoint.etag and request.method in SAFE_METHODS):
            return None
        return preconditions.parse("If-None-Match", request.header(b"if-none-match"))

    def _read_query(self, request: Request) -> Any:
        query = request.query
        if not query or not self.endpoint.is_api:  # load balancers and scrapers add what they like
            return self._no_query
        return self._known_query(query) if len(query) <= KEPT_QUERY_BYTES else self._parsed_query(query)

    def _parsed_query(self, query: bytes) -> Any:
        parameters, repeated = parse_query(query)
        if repeated:
            raise ValidationFailedError(FieldError(name, "repeated", "Must be given once.") for name in repeated)
        return self._query.read(parameters)

    async def _read_body(self, request: Request) -> tuple[Any, Any]:
        if request.method in SAFE_METHODS:
            return None, None
        if self._body is not None:
            self._check_media_type(request)
        raw = await request.read_body()
        key = idempotency.read_key(request, raw) if self.endpoint.idempotent else None
        if self._body is None:
            return None, key
        return self._body.read(strict_json.decode(raw)), key

    def _check_media_type(self, request: Request) -> None:
        if (request.header(b"content-encoding") or "identity").strip().lower() != "identity":
            raise RequestRefusedError("unsupported_media_type", "Send the body without a Content-Encoding.")
        if not media_types.is_in_utf8(request.header(b"content-type") or "", self._media_types):
            wanted = " or ".join(self._media_types)
            accepted = ((b"accept-patch", wanted.replace(" or ", ", ").encode()),) if self.endpoint.merge_patch else ()
            detail = f"Send the body as {wanted}, in UTF-8."
            raise RequestRefusedError("unsupported_media_type", detail, accepted)
