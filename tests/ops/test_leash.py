"""What starts a process and is killed leaves none behind: programs on a leash, and our own on a lifeline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pool_manager.stores import leash, lifeline
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

CHECKOUT = Path(__file__).resolve().parents[2]

PARENT = """
import os, subprocess, sys
read, write = os.pipe()
env = {**os.environ, "POOL_MANAGER_LIFELINE_FD": str(read)}
command = [word.replace("@FD@", str(read)) for word in sys.argv[1:]]
child = subprocess.Popen(command, pass_fds=[read], env=env)
child.wait()
"""
ON_LEASH = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ON_LEASH
ON_LIFELINE = "from pool_manager.stores import lifeline; lifeline.attach(); " + ON_LEASH


def gone(pid: int) -> bool:
    """Ended, or ended and not yet reaped by whoever inherited it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def pid_in(path: Path) -> Callable[[], int]:
    return lambda: int(path.read_text() or 0) if path.exists() else 0


def parent_of(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PARENT, *command], cwd=CHECKOUT)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("program", "within_s"), [(ON_LEASH, 3), (STUBBORN, 6)], ids=["willing", "stubborn"]
)
def test_a_program_on_the_leash_ends_with_its_killed_parent(
    tmp_path: Path, program: str, within_s: float
) -> None:
    note, socket = tmp_path / "pid", tmp_path / "live.sock"
    socket.touch()
    parent = parent_of(
        *(sys.executable, "-I", "-S", leash.__file__, "@FD@", f"{socket}:{tmp_path / 'none'}"),
        *(sys.executable, "-c", program, str(note)),
    )
    pid = wait_until(pid_in(note), seconds=10, what="the program runs")
    parent.kill()
    parent.wait(timeout=5)
    wait_until(lambda: gone(pid), seconds=within_s, what="the program is gone")
    wait_until(lambda: not socket.exists(), seconds=2, what="its file is gone")


def test_the_leash_has_the_status_of_its_program(tmp_path: Path) -> None:
    socket = tmp_path / "live.sock"
    socket.touch()
    read, write = os.pipe()
    done = subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, str(read), str(socket), sys.executable, "-c", "raise SystemExit(7)"],
        pass_fds=[read], timeout=10, check=False,
    )  # fmt: skip
    os.close(read)
    os.close(write)
    assert done.returncode == 7
    assert socket.exists()  # the next start of the program clears it; only an end we asked for does


def test_the_leash_passes_a_signal_on(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", leash.__file__, str(read), "", sys.executable, "-c", ON_LEASH, str(note)],
        pass_fds=[read],
    )  # fmt: skip
    pid = wait_until(pid_in(note), seconds=10, what="the program runs")
    process.terminate()
    process.wait(timeout=5)
    os.close(read)
    os.close(write)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_on_the_lifeline_ends_with_its_killed_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = parent_of(sys.executable, "-c", ON_LIFELINE, str(note))
    pid = wait_until(pid_in(note), seconds=10, what="the process runs")
    parent.kill()
    parent.wait(timeout=5)
    wait_until(lambda: gone(pid), seconds=3, what="the process is gone")


@pytest.mark.parametrize("fd", ["", "none"])
def test_without_a_lifeline_nothing_happens(fd: str) -> None:
    program = "from pool_manager.stores import lifeline; lifeline.attach(); import threading; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, lifeline.ENV: fd}, cwd=CHECKOUT,
        capture_output=True, text=True, timeout=10, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1"
