"""HAProxy checking the same instances in the same run; its log says when it noticed."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CONFIG = """
global
    log {log} local0
    maxconn 200
defaults
    mode http
    timeout connect 250ms
    timeout client 1s
    timeout server 1s
    timeout check 250ms
    option httpchk GET /healthz
    option log-health-checks
    log global
frontend nobody
    bind unix@{directory}/haproxy.sock
    default_backend fleet
backend fleet
    default-server check inter 1s fastinter 100ms fall {fall} rise 2
{servers}
"""
DOWN = re.compile(rb"Server fleet/(\S+) is DOWN")


@dataclass(slots=True)
class Peer:
    """When HAProxy called each server down, newest last; monotonic seconds."""

    downs: dict[str, list[float]] = field(default_factory=dict)

    def down_after(self, name: str, moment: float, *, within: float) -> float | None:
        """Seconds from `moment` until it noticed, None if it did not `within` so long."""
        for at in self.downs.get(name, []):
            if moment <= at <= moment + within:
                return at - moment
        return None


@contextlib.contextmanager
def haproxy(
    directory: Path, servers: Iterable[tuple[str, str, int]], *, fall: int
) -> Iterator[Peer | None]:
    """Run it beside; None where it is not installed."""
    binary = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
    if binary is None:
        yield None
        return
    log = directory / "haproxy.log.sock"
    peer = Peer()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(log))
        lines = "\n".join(f"    server {name} {host}:{port}" for name, host, port in servers)
        config = directory / "haproxy.cfg"
        config.write_text(CONFIG.format(directory=directory, log=log, fall=fall, servers=lines))
        process = subprocess.Popen([binary, "-q", "-db", "-f", str(config)])
        threading.Thread(target=_receive, args=(receiver, peer), daemon=True).start()
        try:
            yield peer
        finally:
            process.terminate()
            process.wait(timeout=10)
            receiver.shutdown(socket.SHUT_RDWR)


def _receive(receiver: socket.socket, peer: Peer) -> None:
    with contextlib.suppress(OSError):
        while line := receiver.recv(4096):
            if found := DOWN.search(line):
                peer.downs.setdefault(found[1].decode(), []).append(time.monotonic())
