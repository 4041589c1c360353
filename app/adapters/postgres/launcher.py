"""Becomes another program: in a directory, as a user, and for no longer than its parent lives.

Run as ``python -I -S -c``, never imported: what must happen between fork and exec cannot be done safely in a process
with threads. The directory is entered before root is given up, so the user needs no right to the directories above it.

Usage: DIRECTORY UID GID PARENT DEATH_SIGNAL PROGRAM [ARGUMENT…]; UID -1 keeps the user.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change directory, user and death signal, then become the program."""
    directory, *numbers = sys.argv[1:6]
    uid, gid, parent, death_signal = map(int, numbers)
    program = sys.argv[6:]
    os.umask(0o077)
    os.chdir(directory)
    if uid != -1:
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid, which clears it. The kernel sends the signal when the thread that started us ends.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the parent ended before this program began")
    os.execv(program[0], program)  # noqa: S606 # becoming the program is the point


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"cannot run {sys.argv[6:7]}: {error}")
