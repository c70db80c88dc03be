#!/bin/sh
# Every check, each with its name. All run even when one fails; the end names those that did.
set -u
cd "$(dirname "$0")/.." || exit 1

python=.venv/bin/python
failed=""
skipped=""
data_dir=$(mktemp -d) || exit 1
trap 'rm -rf "$data_dir"' EXIT
trap 'exit 130' INT TERM

# the checks look at the code, never at an installation that happens to be configured here
unset DATABASE_URL REDIS_URL SECRET_KEY SECRET_KEY_FILE ALLOWED_HOSTS
POOL_MANAGER_DATA_DIR=$data_dir
export POOL_MANAGER_DATA_DIR

# colours are for terminals; these two print them into logs as well
no_ansi="" colors_off=""
[ -t 1 ] || no_ansi="--no-ansi" colors_off="-- --colors=off"

step() { # NAME COMMAND...
    name=$1
    shift
    echo "check: $name"
    "$@"
    code=$?
    if [ $code -eq 3 ] && [ "$1 $2" = "sh requirements/node.sh" ]; then
        skipped="$skipped${skipped:+, }$name"
    elif [ $code -ne 0 ]; then
        failed="$failed${failed:+, }$name"
    fi
}

step "format" "$python" -m ruff format --quiet --check .
step "lint" "$python" -m ruff check --quiet .
step "types" "$python" -m mypy --no-error-summary
step "imports" "$python" -c 'import sys
from importlinter.cli import lint_imports_command
sys.exit(lint_imports_command(["--no-logo"]))'
# split on purpose, or nothing at all
# shellcheck disable=SC2086
step "requirements" "$python" -m deptry $no_ansi .
step "locks" "$python" -m tests.frame.locks
step "migrations" "$python" manage.py makemigrations --check --dry-run
step "system check" "$python" manage.py check --fail-level WARNING
step "template format" "$python" -m djlint --quiet --check templates
step "template lint" "$python" -m djlint --quiet --lint templates
step "browser code" sh requirements/node.sh run check $colors_off
step "event docs" "$python" manage.py events_doc --check
step "links in docs" "$python" -m tests.frame.links

[ -z "$skipped" ] || echo "check: skipped: $skipped"
if [ -n "$failed" ]; then
    echo "check: failed: $failed"
    exit 1
fi
echo "check: all passed"
