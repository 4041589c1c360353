#!/bin/sh
# Checks the scripts and styles of the web UI: types, rules, file lengths, and that what is served means the same as what
# is written. Needs Node; running Rondo does not.
# The versions are pinned in package.json; what they bring along is fetched when package.json changed.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
    echo "The UI checks need Node 20 or newer with npm (Debian: apt-get install nodejs npm)." >&2
    exit 1
fi
if [ ! -e node_modules/.fresh ] || [ package.json -nt node_modules/.fresh ]; then
    npm install --no-package-lock --ignore-scripts --silent
    touch node_modules/.fresh
fi
PATH="$PWD/node_modules/.bin:$PATH"
tsc --project tsconfig.json
eslint --max-warnings 0 app/web/static eslint.config.js tests/same_syntax.js
stylelint --max-warnings 0 'app/web/static/**/*.css'
.venv/bin/python -m tests.served_scripts | node tests/same_syntax.js
