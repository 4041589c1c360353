"""Who asks, and what of the request every use case takes along."""

from dataclasses import dataclass

from app.domain.errors import NotAuthenticatedError
from app.domain.ids import AccountId, ProjectId, SessionId
from app.domain.value import value


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A signed-in account.

    Attributes:
        inbox_id: The project its tasks go to.
        time_zone: IANA name.
    """

    account_id: AccountId
    session_id: SessionId
    inbox_id: ProjectId
    email: str
    name: str = ""
    time_zone: str = "UTC"
    operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """The client's promise that requests of one key are one request.

    Attributes:
        key: The `Idempotency-Key`.
        request_hash: SHA-256 over method, path and body.
    """

    key: str
    request_hash: bytes


@value
class Context:
    """One request, as the inside sees it.

    Attributes:
        address: The client's network address, for limits and the list of sessions.
        client: The client's own name for itself (`User-Agent`).
    """

    principal: Principal | None = None
    request_id: str | None = None
    traceparent: str | None = None
    idempotency: Idempotency | None = None
    address: str = ""
    client: str = ""

    @property
    def caller(self) -> Principal:
        """Who asks.

        Raises:
            NotAuthenticatedError: Nobody is signed in.
        """
        if self.principal is None:
            raise NotAuthenticatedError
        return self.principal
