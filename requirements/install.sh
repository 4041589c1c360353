#!/bin/sh
# Makes .venv from the pinned requirements. Called by make, from the top of the repository.
#
#   requirements/install.sh runtime     what Rondo needs to run, and Rondo itself
#   requirements/install.sh dev         what building and testing it needs on top
#
# PYTHON names the interpreter to use; otherwise the first one that is new enough is taken. That of the system comes first:
# distributions build theirs optimised by profile, and mend it. One that was built by default takes more of a processor for
# each request (`make bench` in a clone made with either says how much).
set -eu

fail() {
    echo "$*" >&2
    exit 1
}

can_make_venvs() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null || fail "PYTHON is set to '$PYTHON', which is not there."
        is_new_enough "$PYTHON" || fail "Rondo needs Python 3.11 or newer; '$PYTHON' is $("$PYTHON" --version 2>&1)."
        echo "$PYTHON"
        return
    fi
    if is_new_enough /usr/bin/python3 && can_make_venvs /usr/bin/python3; then
        echo /usr/bin/python3
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    fail "Rondo needs Python 3.11 or newer, and none was found (python3 is: $(python3 --version 2>&1 || true)). Install one, or say where it is: make run PYTHON=/path/to/python3"
}

make_venv() {
    # One whose interpreter has gone, or that was interrupted half way, is made anew.
    if is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python)
    can_make_venvs "$python" ||
        fail "$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
    echo "Making .venv with $("$python" --version) ($python)."
    "$python" -m venv --clear .venv
}

# The files name everything that is needed, so pip need not look for more: its older versions would take a newer release
# than the pinned one for a package with an extra, and then refuse it for want of a hash. That nothing is missing is
# looked at afterwards.
install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "$@"
}

make_venv
case "$1" in
runtime)
    echo "Installing what Rondo needs (requirements/runtime.txt)."
    install --require-hashes -r requirements/runtime.txt
    install --no-build-isolation --editable .
    ;;
dev)
    echo "Installing what its tests need (requirements/dev.txt)."
    install --require-hashes -r requirements/dev.txt
    ;;
*) fail "usage: requirements/install.sh runtime|dev" ;;
esac
problems=$(.venv/bin/python -m pip --disable-pip-version-check check) ||
    fail "The pinned requirements do not fit each other: $problems"
