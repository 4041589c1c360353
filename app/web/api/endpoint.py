"""What an endpoint is: one row of the table from which router, contract, checks, limits and metrics are made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from app.domain.errors import NotFoundError
from app.services import Services
from app.services.context import Context
from app.services.operating import OperatingService
from app.web.answer import Answer
from app.web.api.bodies import NoQuery
from app.web.api.credentials import SessionCookies
from app.web.api.health import Health
from app.web.api.preconditions import EntityTags
from app.web.api.request import Request

B = TypeVar("B")
Q = TypeVar("Q")

ROOT: Final = "/api"


class Auth(Enum):
    """Who may call an endpoint."""

    PUBLIC = "public"
    USER = "user"
    OPERATOR = "operator"


class Limit(Enum):
    """Which rate limit counts a call. Sign-in and registration are counted by the service itself."""

    NONE = "none"
    CALLS = "calls"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Backend:
    """What the endpoints call.

    Attributes:
        services: The use cases.
        health: The checks behind `/health`.
        operating: What operators do, and what everybody may know of the state of things.
        metrics: Renders the metrics for an `Accept` header: page and content type.
        contract: The OpenAPI document.
        cookies: Which cookie carries a session.
    """

    services: Services
    health: Health
    operating: OperatingService
    metrics: Callable[[str | None], tuple[bytes, str]]
    contract: bytes = b""
    cookies: SessionCookies = field(default_factory=SessionCookies)


@dataclass(slots=True)  # not frozen: every request makes one, and that would cost four times as much
class Call(Generic[B, Q]):
    """One call of an endpoint, checked and read.

    Attributes:
        id: The id in the path, if its template has one and the path had a well-formed one.
        name: The name in the path, if its template has one.
        body: What the body said.
        query: What the query string said.
        if_match: The versions on which the caller insists.
        if_none_match: The versions which the caller has.
    """

    context: Context
    request: Request
    body: B
    query: Q
    id: UUID | None = None
    name: str = ""
    if_match: EntityTags | None = None
    if_none_match: EntityTags | None = None

    @property
    def target(self) -> UUID:
        """The id in the path.

        Raises:
            NotFoundError: It is no id at all, so there is nothing of that name.
        """
        if self.id is None:
            raise NotFoundError
        return self.id


Handler = Callable[[Backend, Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a client can do with the answer: another operation, fed from this one (OpenAPI link)."""

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path.

    Attributes:
        method: GET, POST, PUT, PATCH or DELETE. HEAD and OPTIONS follow from them.
        path: The template; its one parameter, if any, is `{id}`, or `{path}` for a name.
        operation: The name of the operation in the contract.
        summary: What it does, in a few words.
        tag: Its group in the contract.
        body: What the body must be; None: there is none.
        read_only: Names in the body that are skipped.
        merge_patch: The body may call itself a merge patch.
        query: What the query string may be.
        success: The status when it worked.
        answer: What the body of the answer is; None: empty.
        media_type: Of the answer.
        refusals: Codes it can answer with, besides those that follow from the row itself.
        if_match: Takes `If-Match`.
        etag: The answer carries `ETag`; a GET takes `If-None-Match` then.
        idempotent: Takes `Idempotency-Key`.
        example: A body that works.
        location: The answer carries `Location`.
        unhealthy: It may answer 503 with the same body as 200.
        own_limit: All that it waits for has a limit of its own: one statement, or `services.transactions`.
    """

    method: str
    path: str
    handler: Handler
    operation: str
    summary: str
    tag: str
    description: str = ""
    auth: Auth = Auth.USER
    limit: Limit = Limit.CALLS
    body: type[Struct] | None = None
    read_only: frozenset[str] = frozenset()
    merge_patch: bool = False
    query: type[Struct] = NoQuery
    success: int = 200
    answer: type[Struct] | None = None
    media_type: str = "application/json"
    refusals: tuple[str, ...] = ()
    if_match: bool = False
    etag: bool = False
    idempotent: bool = False
    location: bool = False
    unhealthy: bool = False
    own_limit: bool = False
    example: Mapping[str, Any] | None = None
    links: Mapping[str, Link] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        """Whether it belongs to the API proper, and not to those who watch over it."""
        return self.path.startswith(f"{ROOT}/")
