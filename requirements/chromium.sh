#!/bin/sh
# Prints the path of a Chromium for the browser tests. Installs Debian's only with CI=true and as
# root. Without one: nothing is printed and a sentence says what that means; with CI=true it fails.
set -u

applications=${APPLICATIONS:-/Applications} # where macOS has programs

find_chromium() {
    if [ -n "${CHROME:-}" ]; then
        command -v "$CHROME" && return 0
        echo "chromium: CHROME=$CHROME is not a program that can be run; unset CHROME or name another." >&2
        exit 1
    fi
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "$applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "$applications/Chromium.app/Contents/MacOS/Chromium"; do
        command -v "$name" && return 0
    done
    return 1
}

find_chromium && exit 0

if [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "chromium: installing Debian's chromium" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get -q install -y --no-install-recommends chromium fonts-dejavu-core; } >&2
    find_chromium && exit 0
fi

if [ "${CI:-}" = true ]; then
    echo "chromium: none found, and with CI=true the browser tests are not skipped: install chromium or set CHROME." >&2
    exit 1
fi
if command -v apt-get >/dev/null 2>&1; then
    how="install it with: sudo apt-get install chromium"
else
    how="install Chromium or Google Chrome"
fi
echo "chromium: none found, so the browser tests are skipped; $how, or set CHROME to where one is." >&2
