#!/bin/sh
# Looks for the programs that tests need and PyPI does not have. As root on a system with
# apt-get it installs what is missing; elsewhere it says what is missing, and the tests that
# need it are skipped (with CI=true a skipped test fails).
set -eu

# program=Debian package
needed="chromium-headless-shell=chromium-headless-shell firefox-esr=firefox-esr pg_lsclusters=postgresql promtool=prometheus"

missing=""
for pair in $needed; do
    command -v "${pair%%=*}" >/dev/null || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing what the tests need:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # one word a package
    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends $missing; } </dev/null >/dev/null ||
        echo "Could not install:$missing. Tests that need it will be skipped." >&2
else
    echo "Missing:$missing. Tests that need it will be skipped; install it to run them." >&2
fi
