"""What the command line does besides serving: migrate, accounts. Works while Rondo serves, and while it does not."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import trio

from app import wiring
from app.adapters.postgres import Database, MigrationError, data_lock, migrate
from app.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.domain.account import RegisterDraft
from app.domain.errors import NotFoundError, TaskError, ValidationFailedError
from app.installation import DataDirectoryError, open_data_directory
from app.ports.database import DatabaseUnavailableError
from app.version import VERSION
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from app.config import Settings
    from app.services import Services

# So long it waits for a Rondo that is just starting. Waiting longer would look like hanging.
CONNECT_SECONDS: Final = 20.0
# How PostgreSQL says in English, the language of its messages here, that a user of the system is not let in.
REFUSED: Final = "authentication failed"
UNUSABLE_ERRORS: Final = (DataDirectoryError, EmbeddedPostgresError, MigrationError, DatabaseUnavailableError)


class RefusedError(Exception):
    """The command cannot be carried out; the message is for the person who gave it."""


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for the length of a block: the given one, the one of a Rondo that serves, or our own server.

    Commands take turns: while another one uses the data directory, this one waits for it.

    Raises:
        DatabaseUnavailableError: PostgreSQL does not answer.
        EmbeddedPostgresError: The embedded one cannot start, or is not for this user.
    """
    directory = open_data_directory(settings.data_dir)
    async with trio.open_nursery() as nursery:
        url, running = settings.database_url, None
        if url is None:
            embedded = EmbeddedPostgres(directory, user=settings.postgres_user, for_command=True, on_wait=_say_wait)
            url, running = embedded.url, await _start(embedded, nursery)
        async with trio.open_nursery() as clients:
            database = Database(url, size=1, name="command")
            await clients.start(database.run)
            if running is not None:
                await _join(database, running, directory)
            if database.problem is not None:
                raise DatabaseUnavailableError(database.problem, database.server)
            yield database
            clients.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def _start(embedded: EmbeddedPostgres, nursery: trio.Nursery) -> EmbeddedPostgres | None:
    """Start the embedded server when no other command uses it; return the running one if a Rondo serves with it."""
    try:
        await nursery.start(embedded.run)
    except data_lock.HeldError as held:
        if held.by_command:
            raise
        return embedded
    return None


def _say_wait(held: data_lock.HeldError) -> None:
    sentence = f"Waiting for another command, process {held.owner}, which uses {held.directory}."
    print(f"rondo: {sentence}", file=sys.stderr, flush=True)


async def _join(database: Database, running: EmbeddedPostgres, directory: Path) -> None:
    """Wait until the server of a Rondo that serves lets us in; it may just be starting."""
    user = running.other_user()
    if database.problem is not None and REFUSED in database.problem and user is not None:
        raise EmbeddedPostgresError(
            f"the Rondo that uses {directory} runs as the user {user}, and only {user} may use its database: run this"
            f" command as {user}, too: sudo -u {user} rondo …"
        )
    with trio.move_on_after(CONNECT_SECONDS):
        await database.wait_available()


def migrate_database(settings: Settings) -> int:
    """Apply what is missing, and say what was."""

    async def work(database: Database) -> None:
        applied = await migrate(database)
        print(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")

    return run(settings, work)


def create_user(settings: Settings, email: str, password: str) -> int:
    """Create an account."""

    async def work(database: Database) -> None:
        await migrate(database)
        await _services(settings, database).accounts.create_user(RegisterDraft(email=email, password=password))
        print(f"Created {email}.")

    return run(settings, work)


def set_password(settings: Settings, email: str, password: str) -> int:
    """Set a new password and end the account's sessions."""

    async def work(database: Database) -> None:
        await migrate(database)
        try:
            await _services(settings, database).accounts.set_password(email, password)
        except NotFoundError:
            raise RefusedError(f"There is no account with the address {email}.") from None
        print(f"Set the password of {email} and signed it out everywhere.")

    return run(settings, work)


def _services(settings: Settings, database: Database) -> Services:
    """Return the use cases without anybody to tell: a Rondo that serves finds what they wrote by its tick."""
    return wiring.services(settings, database, bells=wiring.Bells.hang(), revoked=lambda _: None)


def run(settings: Settings, work: Callable[[Database], Awaitable[Any]]) -> int:
    """Run one command on the database; print one sentence when it cannot be done. Returns the exit code."""
    logs.setup("error", format="text", version=VERSION, env=settings.env, stream=sys.stderr)

    async def command() -> None:
        async with open_database(settings) as database:
            await work(database)

    code = 0
    try:
        run_trio(command)
    except* UNUSABLE_ERRORS as unusable:
        code = _say(unusable, 2)
    except* (RefusedError, TaskError) as refused:
        code = _say(refused, 1)
    finally:
        logs.shutdown()
    return code


def run_trio(command: Callable[[], Awaitable[None]]) -> None:
    """Run it to its end.

    Raises:
        KeyboardInterrupt: Somebody interrupted it; what else went wrong did so on the way out.
    """
    try:
        trio.run(command)
    except BaseExceptionGroup as group:  # as trio hands on whatever left its nurseries; all but an interrupt goes on
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise


def _say(problem: BaseException, code: int) -> int:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    said = [str(problem)]
    if isinstance(problem, ValidationFailedError):
        said = [f"{error.field}: {error.message}" for error in problem.errors]
    for sentence in said:
        print(f"rondo: {sentence}", file=sys.stderr)
    return code
