"""What a forked child of a demo host does: become one instance, and never outlive the host."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from examples.recording.application import RecordingApplication
from examples.recording.store import RecordingStore
from examples.service import Application, Identity, Service
from examples.sms import SmsApplication
from examples.voice import VoiceApplication

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from examples.peers import Peer

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before the fork, once


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the instances of one host have in common."""

    host: str
    zone: str
    store: Path
    recording_peers: tuple[Peer, ...]
    build: str


def _recording(around: Surroundings, instance: str) -> Application:
    return RecordingApplication(RecordingStore(around.store), instance=instance)


def _sms(around: Surroundings, instance: str) -> Application:
    return SmsApplication(
        recording_peers=around.recording_peers, zone=around.zone, instance=instance
    )


def _voice(_around: Surroundings, instance: str) -> Application:
    return VoiceApplication(instance=instance)


APPLICATIONS: dict[str, Callable[[Surroundings, str], Application]] = {
    "recording": _recording,
    "sms": _sms,
    "voice": _voice,
}


def instance_run(
    around: Surroundings,
    identity: Identity,
    listener: socket.socket,
    *,
    host_pid: int,
    lifeline: int,
) -> NoReturn:
    """Serve until told to stop; called in the child right after the fork, signals blocked."""
    status = 1
    try:
        die_with(host_pid)
        _detach()
        application = APPLICATIONS[identity.pool](around, identity.instance)
        service = Service(application, identity)
        asyncio.run(service.run(listener, stop_signals=[signal.SIGTERM], lifeline=lifeline))
        status = 0
    except Exception:  # noqa: BLE001 - printed; a fork must not run on into its parent's code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def die_with(host_pid: int) -> None:
    """Ask Linux for SIGKILL when the host ends, which also reaches a stopped process."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != host_pid:  # it ended before the request was in
        os._exit(1)


def _detach() -> None:
    """Leave the host its terminal signals, stdin and stdout."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's to answer, by SIGTERM
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD, signal.SIGINT])
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
