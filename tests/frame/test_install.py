from __future__ import annotations

import pytest

from tests.frame.checkout import Checkout

INSTALL = "requirements/install.sh"


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """With a Python on PATH."""
    checkout.python("python3")
    return checkout


def test_a_venv_is_made_once_and_counts_from_then_on(ready: Checkout) -> None:
    first = ready.run(INSTALL, "base")
    assert (first.returncode, first.stdout) == (0, ""), first.stderr
    assert "making .venv" in first.stderr
    assert (ready.path / ".venv" / "stamp-base").exists()
    second = ready.run(INSTALL, "base")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert ready.pip_runs() == ["install --quiet --require-hashes -r requirements/base.txt"]


def test_an_install_that_was_cut_short_is_redone_from_the_start(ready: Checkout) -> None:
    cut = ready.run(INSTALL, "base", PIP_STATUS="1")
    assert cut.returncode == 1
    assert "requirements/base.txt was not installed" in cut.stderr
    assert not list((ready.path / ".venv").glob("stamp-*"))
    (ready.path / ".venv" / "half").touch()
    again = ready.run(INSTALL, "base")
    assert (again.returncode, "making .venv" in again.stderr) == (0, True)
    assert not (ready.path / ".venv" / "half").exists()


def test_an_install_that_was_cut_short_on_top_of_another_takes_its_stamp_away(
    ready: Checkout,
) -> None:
    ready.run(INSTALL, "base")
    assert ready.run(INSTALL, "dev", PIP_STATUS="1").returncode == 1
    assert "making .venv" in ready.run(INSTALL, "base").stderr


def test_a_changed_lock_is_installed_on_top(ready: Checkout) -> None:
    ready.run(INSTALL, "base")
    (ready.path / "requirements" / "base.txt").write_text("# another\n")
    again = ready.run(INSTALL, "base")
    assert "making .venv" not in again.stderr
    assert "installing requirements/base.txt" in again.stderr
    assert len(ready.pip_runs()) == 2


def test_what_tests_need_holds_what_a_run_needs(ready: Checkout) -> None:
    ready.run(INSTALL, "dev")
    assert ready.run(INSTALL, "base").stderr == ""
    assert len(ready.pip_runs()) == 1


def test_a_moved_checkout_gets_a_new_venv(ready: Checkout) -> None:
    ready.run(INSTALL, "base")
    moved = Checkout(path=ready.path.rename(ready.path.with_name("else where")), bin=ready.bin)
    again = moved.run(INSTALL, "base")
    assert (again.returncode, "making .venv" in again.stderr) == (0, True)


def test_a_venv_whose_python_is_gone_is_made_anew(ready: Checkout) -> None:
    ready.run(INSTALL, "base")
    for link in (ready.path / ".venv" / "bin").glob("python*"):
        link.unlink()
    again = ready.run(INSTALL, "base")
    assert (again.returncode, "making .venv" in again.stderr) == (0, True)


def test_a_venv_without_a_stamp_does_not_count(ready: Checkout) -> None:
    (ready.path / ".venv" / "bin").mkdir(parents=True)
    assert "making .venv" in ready.run(INSTALL, "base").stderr


def test_without_a_python_nothing_is_made(checkout: Checkout) -> None:
    run = checkout.run(INSTALL, "base")
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert not (checkout.path / ".venv").exists()


def test_a_python_that_cannot_make_a_venv_leaves_none(checkout: Checkout) -> None:
    checkout.program("python3", 'case "$1" in -c) echo 3 11 2 full ;; *) exit 1 ;; esac')
    run = checkout.run(INSTALL, "base")
    assert (run.returncode, "could not make .venv" in run.stderr) == (1, True)
    assert not (checkout.path / ".venv").exists()


def test_the_environment_of_the_caller_stays_outside(ready: Checkout) -> None:
    run = ready.run(INSTALL, "base", PYTHONHOME="/nowhere", PYTHONPATH="/nowhere", PIP_USER="1")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", ["", "nothing"])
def test_a_lock_that_is_not_there_is_wrong_use(name: str, checkout: Checkout) -> None:
    run = checkout.run(INSTALL, name)
    assert (run.returncode, "use: sh requirements/install.sh" in run.stderr) == (2, True)
