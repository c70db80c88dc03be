"""Run a program that knows no lifeline: `python -I -S leash.py FD UNLINK[:UNLINK…] PROGRAM ARG…`.

Ends the program when the lifeline at FD closes, and then removes the files and empty directories it left. Standard
library only, and started without site-packages: it must be there in 20 ms and stay small.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

STOP_S = 3.0
LOOK_S = 0.1  # a signal does not end a select; it is seen this soon
PR_SET_PDEATHSIG = 1


def main(fd: int, leftovers: list[Path], command: list[str]) -> int:
    """The program's exit status."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_die_with_leash,  # noqa: PLW1509  # this process has one thread
    )
    while process.poll() is None:
        readable, _, _ = select.select([fd], [], [], LOOK_S)
        if asked.is_set() or (readable and not os.read(fd, 1)):
            process.terminate()
            status = _ended(process)
            _clear(leftovers)
            return status
    # it died by itself and will be started again: what it left is for its successor
    return process.returncode


def _clear(leftovers: list[Path]) -> None:
    for path in leftovers:
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _die_with_leash() -> None:
    """Linux ends the program when we are killed ourselves; elsewhere nobody does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


if __name__ == "__main__":
    paths = [Path(name) for name in sys.argv[2].split(os.pathsep) if name]
    sys.exit(main(int(sys.argv[1]), paths, sys.argv[3:]))
