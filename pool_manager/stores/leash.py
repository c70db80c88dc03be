"""Run a program that knows no lifeline: `python -I -S leash.py FD UNLINK[:UNLINK…] PROGRAM ARG…`.

Ends the program when the lifeline at FD closes, and then removes the files and empty directories it left. Standard
library only, and started without site-packages: it must be there in 20 ms and stay small.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

STOP_S = 3.0
LOOK_S = 0.5


def main(fd: int, leftovers: list[Path], command: list[str]) -> int:
    """The program's exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, lambda *_: process.terminate())
    try:
        while process.poll() is None:
            readable, _, _ = select.select([fd], [], [], LOOK_S)
            if readable and not os.read(fd, 1):
                process.terminate()
                break
        return _ended(process)
    finally:
        for path in leftovers:
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


if __name__ == "__main__":
    paths = [Path(name) for name in sys.argv[2].split(os.pathsep) if name]
    sys.exit(main(int(sys.argv[1]), paths, sys.argv[3:]))
