from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frame.checkout import ROOT, Checkout

MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str) -> str:
    # not the variables of the make that may be running these tests
    run = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return run.stdout


def test_help_is_the_default_and_lists_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    listed = re.findall(r"^make (\S+) +\S", make(), re.MULTILINE)
    assert listed == targets


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("run", "ARGS=--port 9000 --data-dir D"), "manage.py up --demo --port 9000 --data-dir D"),
        (("run",), "install.sh base"),
        (("test",), "-m pytest  --cov "),
        (("test", "CI=true"), "-m pytest -p tests.frame.no_skips --cov "),
        (("test", "TESTS=tests/fleet -k drain"), "-m pytest   tests/fleet -k drain"),
        (("bench", "JSON=a b.json", "QUICK=1"), '-m benchmarks.run --json "a b.json" --quick'),
        (("bench-live", "QUICK=0"), "-m benchmarks.run   live"),
    ],
)
def test_variables_reach_the_command(arguments: tuple[str, ...], command: str) -> None:
    assert command in f"{make('-n', *arguments)} "


# the fake Python fails in the steps named in $FAILS
FAILING = 'case " $* " in *" $FAILS "*) exit 1 ;; esac'


@pytest.fixture
def checked(checkout: Checkout) -> Checkout:
    (checkout.path / ".venv" / "bin").mkdir(parents=True)
    checkout.program("python", FAILING).rename(checkout.path / ".venv" / "bin" / "python")
    return checkout


def test_every_check_runs_and_the_end_names_what_failed(checked: Checkout) -> None:
    run = checked.run("requirements/check.sh", FAILS="mypy")
    lines = run.stdout.splitlines()
    assert (run.returncode, lines[-1]) == (1, "check: failed: types")
    assert lines.index("check: types") < lines.index("check: links in docs")


def test_a_check_that_was_skipped_is_named(checked: Checkout) -> None:
    run = checked.run("requirements/check.sh")
    lines = run.stdout.splitlines()
    assert (run.returncode, lines[-2:]) == (
        0,
        ["check: skipped: browser code", "check: all passed"],
    )


def test_in_ci_no_check_is_skipped(checked: Checkout) -> None:
    checked.program("id", "echo 1000")
    run = checked.run("requirements/check.sh", CI="true")
    assert (run.returncode, run.stdout.splitlines()[-1]) == (1, "check: failed: browser code")


@pytest.mark.parametrize(
    ("body", "status"), [("assert True", 0), ("pytest.skip('not here')", 1), ("assert 0", 1)]
)
def test_in_ci_a_skipped_test_fails_the_run(body: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(f"import pytest\n\ndef test_one():\n    {body}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    plugins = [*("-p", "tests.frame.no_skips"), *("-p", "no:cacheprovider"), *("-p", "no:django")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", tmp_path / "pytest.ini", *plugins, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert run.returncode == status, run.stdout
    assert re.search(r"=+ 1 \w+ in .*=+$", run.stdout.strip())
