"""The command line: ``rondo serve | migrate | user create | user password | doctor | version``.

Exit codes: 0 done, 1 it did not work, 2 it cannot work as it is set up (one sentence says why), 70 the watchdog ended a
process that could not stop, 130 somebody interrupted it.
"""

from __future__ import annotations

import argparse
import gc
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.config import SettingsError, read_environment, read_settings
from app.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.config import Settings

UNUSABLE: Final = 2
# As shells count: 128 and the number of SIGINT.
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "version":
        print(f"rondo {VERSION}")
        return 0
    try:
        settings = read_settings(read_environment(_here()))
    except SettingsError as problem:
        for sentence in problem.problems:
            print(f"rondo: {sentence}", file=sys.stderr)
        return UNUSABLE
    try:
        return _run(options, settings)
    except KeyboardInterrupt:
        print("rondo: Interrupted. What was finished stays, and nothing is half done.", file=sys.stderr)
        return INTERRUPTED


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as problem:
        raise SettingsError(
            [f"The current directory cannot be used ({problem.strerror}): change to another one."]
        ) from None


def _run(options: argparse.Namespace, settings: Settings) -> int:
    # Imported late, so that `rondo version` and a wrong setting answer at once. All of it stays, so looking through it
    # for garbage while it grows, a twentieth of the time, is in vain.
    gc.disable()
    from app import administration, doctor  # noqa: PLC0415 - see above
    from app import main as program  # noqa: PLC0415 - see above

    gc.enable()
    match options.command:
        case "serve":
            return program.serve(settings)
        case "migrate":
            return administration.migrate_database(settings)
        case "doctor":
            return doctor.examine(settings)
        case _:
            password = _new_password(from_stdin=options.password_stdin)
            change = administration.create_user if options.action == "create" else administration.set_password
            return change(settings, options.email, password)


def _new_password(*, from_stdin: bool) -> str:
    if sys.stdin is None:  # it was closed
        raise SystemExit("rondo: No password was given.")
    try:
        password = _read_password(from_stdin=from_stdin)
        password.encode()  # what could not be decoded is there as lone surrogates, which nobody can type in a browser
    except UnicodeError:
        raise SystemExit("rondo: The password is not text in UTF-8.") from None
    return password


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password, again = getpass.getpass("New password: "), getpass.getpass("Again: ")
    except (EOFError, KeyboardInterrupt):
        raise SystemExit("\nrondo: No password was given.") from None
    if again != password:
        raise SystemExit("rondo: The two passwords differ.")
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rondo",
        description="Rondo, a self-hosted task manager.",
        epilog="Settings are environment variables RONDO_… or lines of a .env file; the README lists them.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="migrate the database, then serve until SIGTERM")
    commands.add_parser("migrate", help="apply missing migrations and end")
    user = commands.add_parser("user", help="create accounts and set passwords")
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("create", "create an account (works with closed registration too)"),
        ("password", "set a new password; signs the account out everywhere"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("email", metavar="EMAIL")
        action.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of standard input"
        )
    commands.add_parser("doctor", help="check settings, data directory, database, ports, clock; say what to do")
    commands.add_parser("version", help="say which version this is")
    return parser


if __name__ == "__main__":
    sys.exit(main())
