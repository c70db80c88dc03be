"""No process outlives the one that started it, however that one ends.

The starter holds the write end of a pipe and hands the read end down in
`POOL_MANAGER_LIFELINE_FD`. End of file means that it is gone. On Linux the kernel is asked to kill
us as well, which works even while Python hangs. Standard library only: light children use it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

ENV = "POOL_MANAGER_LIFELINE_FD"
GRACE_S = 10.0
_PR_SET_PDEATHSIG = 1


def attach() -> None:
    """Die with the process that set the lifeline; nothing happens when there is none."""
    fd = os.environ.get(ENV, "")
    if not fd.isdigit():
        return
    die_with_parent()
    threading.Thread(target=_watch, args=(int(fd),), name="lifeline", daemon=True).start()


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends; elsewhere the pipe has to do."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(fd: int) -> None:
    while os.read(fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    if not threading.Event().wait(GRACE_S):
        os._exit(1)
