#!/bin/sh
# install.sh base|prod|dev: makes .venv hold what requirements/$1.txt locks.
#
# .venv counts only once stamped: .venv/stamp-NAME is written last and holds the lock's checksum,
# the Python and the place. No stamp (never finished), another place (moved: scripts carry absolute
# paths) or a Python that is gone: made afresh. Another checksum: installed on top.
set -u
cd "$(dirname "$0")/.." || exit 1

name=${1:-}
lock=requirements/$name.txt
if [ -z "$name" ] || [ ! -f "$lock" ]; then
    echo "setup: there is no $lock; use: sh requirements/install.sh base|prod|dev" >&2
    exit 2
fi
case $name in # each lock holds the ones before it; tests/frame checks that it does
base) holds="base" ;;
prod) holds="base prod" ;;
*) holds="base prod $name" ;;
esac

# other people's settings must not reach into this environment
unset PYTHONHOME PYTHONPATH
PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0
export PIP_DISABLE_PIP_VERSION_CHECK PIP_USER PIP_REQUIRE_VIRTUALENV

here=$(pwd -P)

built() { # what .venv is: "3.11.7 /where/it/was/made", nothing if it does not run
    .venv/bin/python -c 'import os, platform, sys
print(platform.python_version(), os.path.realpath(sys.prefix))' 2>/dev/null
}

stamp() { # LOCK-NAME
    printf '%s %s\n' "$(cksum <"requirements/$1.txt")" "$(built)"
}

stamped() { # LOCK-NAME
    [ -f ".venv/stamp-$1" ] && [ "$(cat ".venv/stamp-$1")" = "$(stamp "$1")" ]
}

# made here, finished once, and its Python still runs
sound() {
    is=$(built)
    [ "${is#* }" = "$here/.venv" ] || return 1
    for one in .venv/stamp-*; do
        [ -f "$one" ] && grep -qF " $is" "$one" && return 0
    done
    return 1
}

wanted_python() { # PYTHON names another version than .venv was made with
    [ -z "${PYTHON:-}" ] && return 0
    asked=$("$PYTHON" -c 'import platform; print(platform.python_version())' 2>/dev/null)
    [ "$asked" = "$(built | cut -d' ' -f1)" ]
}

if [ -x .venv/bin/python ] && wanted_python && stamped "$name" && sound; then
    exit 0
fi
if [ ! -w . ]; then
    echo "setup: $here cannot be written by $(id -un); make a checkout of your own, or change its owner." >&2
    exit 1
fi

if ! { [ -x .venv/bin/python ] && wanted_python && sound; }; then
    python=$(sh requirements/python.sh) || exit 1
    echo "setup: making .venv with $python" >&2
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "setup: $python could not make .venv; what it said is above." >&2
        exit 1
    fi
fi

# from here to the end .venv does not count
rm -f .venv/stamp-*
echo "setup: installing $lock" >&2
if ! .venv/bin/python -m pip install --quiet --require-hashes -r "$lock"; then
    echo "setup: $lock was not installed; what pip said is above. Run the command again once that is put right." >&2
    exit 1
fi
for one in $holds; do
    stamp "$one" >".venv/stamp-$one.part"
    mv ".venv/stamp-$one.part" ".venv/stamp-$one"
done
