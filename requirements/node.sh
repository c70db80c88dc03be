#!/bin/sh
# node.sh ARGS...: `npm ARGS...` with package-lock.json installed. Node is wanted by the checks of
# the browser code only; it is installed only with CI=true and as root. Exit code 3: skipped.
set -u
cd "$(dirname "$0")/.." || exit 1

if ! command -v npm >/dev/null 2>&1 && [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ] &&
    command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update && apt-get -q install -y --no-install-recommends nodejs npm
fi
if ! command -v npm >/dev/null 2>&1; then
    if [ "${CI:-}" = true ]; then
        echo "node: npm was not found, and with CI=true the browser code is not skipped: install nodejs and npm." >&2
        exit 1
    fi
    echo "node: npm was not found, so the browser code is skipped; install Node.js 20 or newer to have it checked." >&2
    exit 3
fi

wanted=$(cksum <package-lock.json)
if [ "$(cat node_modules/stamp 2>/dev/null)" != "$wanted" ]; then
    rm -f node_modules/stamp
    npm ci --silent --ignore-scripts || {
        echo "node: npm ci failed; what it said is above." >&2
        exit 1
    }
    printf '%s\n' "$wanted" >node_modules/stamp
fi
exec npm --silent "$@"
