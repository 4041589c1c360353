"""What somebody can do about their own account: see and end sessions, change the password, take everything, leave."""

from typing import Final, TypeAlias

from app.domain.ids import SessionId
from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import NoQuery, PasswordChange, PasswordProof
from app.web.api.endpoint import Backend, Call, Endpoint, Limit
from app.web.api.endpoints.accounts import signed_in_answer

Bare: TypeAlias = Call[None, NoQuery]

_EXPORT_NAME: Final = b'attachment; filename="rondo-export.json"'


async def list_sessions(backend: Backend, call: Bare) -> Answer:
    """Return the caller's sessions."""
    return Answer(200, await backend.services.own_sessions.list_sessions(call.context))


async def end_session(backend: Backend, call: Bare) -> Answer:
    """End one of the caller's sessions; the cookie goes along with its own."""
    session_id = SessionId(call.target)
    await backend.services.own_sessions.end_session(call.context, session_id)
    is_own = session_id == call.context.caller.session_id
    return Answer(204, headers=(backend.cookies.take(call.request),) if is_own else ())


async def end_other_sessions(backend: Backend, call: Bare) -> Answer:
    """End every session of the caller but this one."""
    await backend.services.own_sessions.end_other_sessions(call.context)
    return Answer(204)


async def change_password(backend: Backend, call: Call[PasswordChange, NoQuery]) -> Answer:
    """Replace the password and start a new session."""
    body = call.body
    signed_in = await backend.services.own_sessions.change_password(
        call.context, body.current_password, body.new_password
    )
    return signed_in_answer(backend.cookies, call.request, signed_in, status=200)


async def export_account(backend: Backend, call: Bare) -> Answer:
    """Return everything the caller has, as a file."""
    export = await backend.services.exports.begin(call.context)
    return Answer(200, headers=((b"content-disposition", _EXPORT_NAME),), write_to=export.write_to)


async def delete_account(backend: Backend, call: Call[PasswordProof, NoQuery]) -> Answer:
    """Remove the caller's account."""
    await backend.services.leaving.delete_account(call.context, call.body.password)
    return Answer(204, headers=(backend.cookies.take(call.request),))


_PASSWORD: Final = "a long sentence is a good password"  # noqa: S105 # an example

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/me/sessions",
        handler=list_sessions,
        operation="listSessions",
        summary="List where you are signed in",
        description="The session that asks comes first, then the latest used; at most 200.",
        tag="Accounts",
        answer=documents.SessionList,
    ),
    Endpoint(
        method="DELETE",
        path="/api/me/sessions",
        handler=end_other_sessions,
        operation="endOtherSessions",
        summary="Sign out everywhere else",
        description="Ends every session but the one that asks, and closes their sockets.",
        tag="Accounts",
        success=204,
    ),
    Endpoint(
        method="DELETE",
        path="/api/me/sessions/{id}",
        handler=end_session,
        operation="endSession",
        summary="End one of your sessions",
        description="Closes its sockets. Ending the session that asks is the same as signing out.",
        tag="Accounts",
        success=204,
        refusals=("not_found",),
    ),
    Endpoint(
        method="POST",
        path="/api/me/password",
        handler=change_password,
        operation="changePassword",
        summary="Change your password",
        description="Ends every session, closes their sockets, and answers with a new token and cookie.",
        tag="Accounts",
        limit=Limit.SIGN_IN,
        body=PasswordChange,
        example={"currentPassword": _PASSWORD, "newPassword": "an even longer sentence is a better one"},
        answer=documents.Session,
        refusals=("wrong_password", "password_refused"),
    ),
    Endpoint(
        method="GET",
        path="/api/me/export",
        handler=export_account,
        operation="exportAccount",
        summary="Export everything you have here",
        description="One JSON document, sent as it is read, to be kept as a file.",
        tag="Accounts",
        answer=documents.Export,
    ),
    Endpoint(
        method="DELETE",
        path="/api/me",
        handler=delete_account,
        operation="deleteAccount",
        summary="Delete your account",
        description="Removes the account and everything that is nobody else's, at once and for good. Export first.",
        tag="Accounts",
        limit=Limit.SIGN_IN,
        body=PasswordProof,
        example={"password": _PASSWORD},
        success=204,
        refusals=("wrong_password", "last_operator"),
    ),
)
