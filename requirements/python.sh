#!/bin/sh
# Prints the path of the Python that .venv is built with; else one sentence says what was found
# and what is needed, and the exit code is 1.
set -u

OLDEST=11 # of 3.x; the locks are made for 3.11 to 3.13
NEWEST=13

# "3 11 7 full", or "3 11 7 no-venv" where Debian keeps venv in a package of its own
describe() {
    "$1" -c '
import sys
full = "full"
try:
    import venv, ensurepip
except ImportError:
    full = "no-venv"
print(sys.version_info[0], sys.version_info[1], sys.version_info[2], full)
' 2>/dev/null </dev/null
}

new_enough() { # MAJOR MINOR
    [ "$1" -gt 3 ] || { [ "$1" -eq 3 ] && [ "$2" -ge "$OLDEST" ]; }
}

refuse() {
    echo "setup: $*" >&2
    exit 1
}

refuse_without_venv() { # PATH MAJOR MINOR
    if command -v apt-get >/dev/null 2>&1; then
        sudo=""
        [ "$(id -u)" -eq 0 ] || sudo="sudo "
        refuse "$1 has no venv or ensurepip; install them with: ${sudo}apt-get install python$2.$3-venv"
    fi
    refuse "$1 has no venv or ensurepip; install these parts of Python $2.$3 with your system's packages."
}

accept() { # PATH MAJOR MINOR
    if [ "$2" -gt 3 ] || [ "$3" -gt "$NEWEST" ]; then
        echo "setup: Python $2.$3 is newer than the locks (3.$OLDEST to 3.$NEWEST); if it does not install, set PYTHON to one of those." >&2
    fi
    printf '%s\n' "$1"
    exit 0
}

if [ -n "${PYTHON:-}" ]; then
    path=$(command -v "$PYTHON" 2>/dev/null) ||
        refuse "PYTHON=$PYTHON is not a program that can be run; Python 3.$OLDEST or newer is needed: unset PYTHON or name another."
    # the words are split on purpose, here and below: MAJOR MINOR PATCH WORD
    # shellcheck disable=SC2046
    set -- $(describe "$path")
    [ $# -eq 4 ] ||
        refuse "PYTHON=$PYTHON does not answer as Python 3 does; Python 3.$OLDEST or newer is needed: unset PYTHON or name another."
    new_enough "$1" "$2" ||
        refuse "PYTHON=$PYTHON is Python $1.$2.$3, and 3.$OLDEST or newer is needed: unset PYTHON or name another."
    [ "$4" = full ] || refuse_without_venv "$path" "$1" "$2"
    accept "$path" "$1" "$2"
fi

found=""
without_venv=""
for name in python3.13 python3.12 python3.11 python3; do
    path=$(command -v "$name" 2>/dev/null) || continue
    # shellcheck disable=SC2046
    set -- $(describe "$path")
    # a version manager's shim may be there and run nothing
    [ $# -eq 4 ] || continue
    if ! new_enough "$1" "$2"; then
        found="$found${found:+, }$path is Python $1.$2.$3"
    elif [ "$4" = full ]; then
        accept "$path" "$1" "$2"
    elif [ -z "$without_venv" ]; then
        without_venv="$path|$1|$2"
    fi
done

if [ -n "$without_venv" ]; then
    rest=${without_venv#*|}
    refuse_without_venv "${without_venv%%|*}" "${rest%%|*}" "${rest##*|}"
fi
refuse "Python 3.$OLDEST or newer is needed; found: ${found:-no python3 on PATH}. Install one, or set PYTHON to where it is."
