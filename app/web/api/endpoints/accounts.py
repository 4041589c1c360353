"""Register, sign in and out, and the profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, TypeAlias

import orjson

from app.domain.errors import InvalidCredentialsError, RateLimitedError, RegistrationClosedError, TaskError
from app.services.results import SignedIn
from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import ChangedProfile, NoQuery, Registration, SignIn
from app.web.api.credentials import SessionCookies
from app.web.api.endpoint import Auth, Backend, Call, Endpoint, Limit
from app.web.api.request import Request
from monitoring import metrics

Bare: TypeAlias = Call[None, NoQuery]

# What cannot be changed in a profile. Of it, `ChangedProfile` names what somebody might mean to change.
PROFILE_READ_ONLY: Final = frozenset({"id", "email", "operator", "createdAt"})


async def register(backend: Backend, call: Call[Registration, NoQuery]) -> Answer:
    """Create an account and sign it in."""
    with _counted("register"):
        signed_in = await backend.services.accounts.register(call.context, call.body.draft())
    return signed_in_answer(backend.cookies, call.request, signed_in, status=201)


async def login(backend: Backend, call: Call[SignIn, NoQuery]) -> Answer:
    """Start a session."""
    with _counted("password"):
        signed_in = await backend.services.accounts.login(call.context, call.body.email, call.body.password)
    return signed_in_answer(backend.cookies, call.request, signed_in, status=200)


async def logout(backend: Backend, call: Bare) -> Answer:
    """End the caller's session and its sockets."""
    await backend.services.accounts.logout(call.context)
    return Answer(204, headers=(backend.cookies.take(call.request),))


async def get_profile(backend: Backend, call: Bare) -> Answer:
    """Return the caller's profile."""
    return Answer(200, await backend.services.accounts.get_profile(call.context))


async def patch_profile(backend: Backend, call: Call[ChangedProfile, NoQuery]) -> Answer:
    """Change the fields that are named."""
    call.body.check_kept(email=call.context.caller.email, operator=call.context.caller.operator)
    return Answer(200, await backend.services.accounts.patch_profile(call.context, call.body.changes()))


def signed_in_answer(cookies: SessionCookies, request: Request, signed_in: SignedIn, *, status: int) -> Answer:
    """Return what a new session is answered with: who, the token, the cookie."""
    expires_at = signed_in.expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = orjson.dumps(
        {"user": orjson.Fragment(signed_in.user_json), "token": signed_in.token, "expiresAt": expires_at}
    )
    cookie = cookies.give(request, signed_in.token, signed_in.expires_at, datetime.now(UTC))
    return Answer(status, body, headers=(cookie,))


@contextmanager
def _counted(method: str) -> Iterator[None]:
    """Count one attempt to get in."""
    outcome = "error"
    try:
        yield
        outcome = "success"
    except RateLimitedError:
        outcome = "limited"
        raise
    except RegistrationClosedError:
        outcome = "forbidden"
        raise
    except (InvalidCredentialsError, TaskError):
        outcome = "failure"
        raise
    finally:
        metrics.AUTH_ATTEMPTS_TOTAL.labels(method, outcome).inc()


_PERSON: Final = {"email": "ada@example.org", "password": "a long sentence is a good password"}

ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/auth/register",
        handler=register,
        operation="register",
        summary="Create an account and sign in",
        description="Answers with a token and sets the session cookie. The first account is the operator.",
        tag="Accounts",
        auth=Auth.PUBLIC,
        limit=Limit.SIGN_IN,
        body=Registration,
        example=_PERSON | {"name": "Ada", "timeZone": "Europe/London"},
        success=201,
        answer=documents.Session,
        refusals=("email_taken", "registration_closed", "password_refused"),
    ),
    Endpoint(
        method="POST",
        path="/api/auth/login",
        handler=login,
        operation="login",
        summary="Sign in",
        description="Answers with a token and sets the session cookie.",
        tag="Accounts",
        auth=Auth.PUBLIC,
        limit=Limit.SIGN_IN,
        body=SignIn,
        example=_PERSON,
        answer=documents.Session,
        refusals=("invalid_credentials",),
    ),
    Endpoint(
        method="POST",
        path="/api/auth/logout",
        handler=logout,
        operation="logout",
        summary="Sign out",
        description="Ends this session and closes its sockets.",
        tag="Accounts",
        success=204,
    ),
    Endpoint(
        method="GET",
        path="/api/me",
        handler=get_profile,
        operation="getProfile",
        summary="Get your profile",
        tag="Accounts",
        answer=documents.Account,
    ),
    Endpoint(
        method="PATCH",
        path="/api/me",
        handler=patch_profile,
        operation="patchProfile",
        summary="Change your profile",
        description="A JSON merge patch (RFC 7396). `email` and `operator` may be sent back, but only as they are.",
        tag="Accounts",
        body=ChangedProfile,
        read_only=PROFILE_READ_ONLY,
        merge_patch=True,
        example={"weekStart": "sunday", "quietHours": {"from": "22:00", "to": "07:00"}},
        answer=documents.Account,
    ),
)
