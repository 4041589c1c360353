"""A program that holds an embedded server as Rondo does, to be killed by tests.

Usage: python rondo_stub.py DATA_DIRECTORY [USER PROGRAMS]; with a user it first becomes that user, for good.
Prints ``ready POSTMASTER_PID`` when a query was answered.
"""

import os
import pwd
import sys
from pathlib import Path

import trio

from app.adapters.postgres import Database, binaries
from app.adapters.postgres.embedded import EmbeddedPostgres


async def main(data_directory: Path) -> None:
    """Run until killed or told to end by the end of standard input."""
    server = EmbeddedPostgres(data_directory, settings={"fsync": "off"}, sync_new_files=False)
    async with trio.open_nursery() as nursery:
        database = Database(await nursery.start(server.run), size=2)
        await nursery.start(database.run)
        row = await database.fetchrow("SELECT pg_read_file('postmaster.pid') AS file, current_user AS role")
        sys.stdout.write(f"ready {row['file'].split()[0]} {row['role']}\n")
        sys.stdout.flush()
        await trio.lowlevel.wait_readable(sys.stdin)
        nursery.cancel_scope.cancel()


def become(name: str, programs: Path) -> None:
    """Give up root. What the user cannot reach any more was found before."""
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    sys.executable = "/usr/bin/python3"  # the launcher needs any Python the user can reach
    setattr(binaries, "find", lambda _account: programs)  # noqa: B010 # ours may lie below root's home


if __name__ == "__main__":
    if len(sys.argv) > 2:
        become(sys.argv[2], Path(sys.argv[3]))
    trio.run(main, Path(sys.argv[1]))
