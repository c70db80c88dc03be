from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pool_manager.ops.children import Child, Children, python, status_words
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

SLEEPER = python("-c", "import time; time.sleep(60)")


@contextmanager
def children() -> Iterator[tuple[Children, list[str]]]:
    said: list[str] = []
    kept = Children(say=said.append)
    try:
        yield kept, said
    finally:
        kept.end(last="last")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def test_a_child_that_dies_is_started_again_later_each_time() -> None:
    with children() as (kept, said):
        child = Child("web 1", python("-c", "raise SystemExit(3)"))
        kept.start(child)

        def restarted() -> bool:
            kept.look()
            return len(said) == 2

        wait_until(restarted, seconds=10, what="it died twice")
        assert said == [
            "web 1 ended (exit status 3); started again in 0.25 s",
            "web 1 ended (exit status 3); started again in 0.5 s",
        ]
        assert 0 < kept.look() <= 0.5


def test_a_killed_child_comes_back_as_another_process() -> None:
    with children() as (kept, said):
        child = Child("web 1", SLEEPER)
        kept.start(child)
        first = pid_of(child)
        os.kill(first, signal.SIGKILL)
        wait_until(
            lambda: kept.look() >= 0 and child.running and pid_of(child) != first,
            seconds=10,
            what="it is back",
        )
        assert said == ["web 1 ended (killed by SIGKILL); started again in 0.25 s"]


@pytest.mark.parametrize(("status", "kept_alive"), [(0, False), (1, True)])
def test_a_child_that_runs_once_may_end_well(status: int, kept_alive: bool) -> None:
    with children() as (kept, said):
        child = Child("demo", python("-c", f"raise SystemExit({status})"), once=True)
        kept.start(child)
        assert child.process is not None
        child.process.wait(timeout=10)
        kept.look()
        assert bool(said) is kept_alive
        assert (child.due is not None) is kept_alive


def test_the_end_leaves_none_and_takes_the_last_after_the_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    slow = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(float(sys.argv[2])); open(sys.argv[3], 'a').write(sys.argv[1] + '\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); open(sys.argv[3] + sys.argv[1], 'w').close()\n"
        "signal.pause()\n"
    )
    said: list[str] = []
    kept = Children(say=said.append)
    made = [
        Child(name, python("-c", slow, name, wait, str(log)))
        for name, wait in (("last", "0"), ("web", "0.3"))
    ]
    for child in made:
        kept.start(child)
    wait_until(
        lambda: all(Path(f"{log}{child.name}").exists() for child in made),
        seconds=10,
        what="both listen",
    )
    kept.end(last="last")
    assert log.read_text().split() == ["web", "last"]
    assert all(gone(pid_of(child)) for child in made)


def test_a_stopped_child_is_ended_too() -> None:
    said: list[str] = []
    kept = Children(say=said.append)
    child = Child("web", SLEEPER)
    kept.start(child)
    os.kill(pid_of(child), signal.SIGSTOP)
    kept.end(last="last")
    assert gone(pid_of(child))


@pytest.mark.parametrize(
    ("status", "words"), [(0, "exit status 0"), (3, "exit status 3"), (-9, "killed by SIGKILL")]
)
def test_a_status_in_words(status: int, words: str) -> None:
    assert status_words(status) == words
