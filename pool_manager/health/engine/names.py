"""Host names to addresses, without ever making probing wait.

`getaddrinfo` blocks for seconds when a name server is silent, so few daemon threads call it. A name
once resolved is used on while it is refreshed, and kept when the name server fails.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

FRESH_S = 10.0
THREADS = 4
PENDING_MAX = 10_000


@dataclass(slots=True)
class _Known:
    address: str = ""  # empty while it was never resolved
    problem: str = ""
    asked_at: float = float("-inf")
    pending: bool = False


def is_address(text: str) -> bool:
    """Whether this is an IP address and needs no name server."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Names:
    """Resolved names; all methods belong to the one probing thread.

    `wake` becomes readable whenever `collect` has news.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._wanted: queue.Queue[str | None] = queue.Queue(PENDING_MAX)
        self._found: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.wake, self._bell = socket.socketpair()
        self.wake.settimeout(0)
        self._bell.settimeout(0)

    def lookup(self, name: str, now: float) -> tuple[str, str]:
        """(address, problem) as known now; both empty: ask again after `collect` names it."""
        known = self._known.setdefault(name, _Known())
        if not known.pending and now - known.asked_at >= FRESH_S:
            self._ask(name, known, now)
        return known.address, "" if known.address else known.problem

    def collect(self) -> list[str]:
        """Names that have news."""
        with suppress(BlockingIOError):
            while self.wake.recv(4096):
                pass
        news: list[str] = []
        while not self._found.empty():
            name, address, problem = self._found.get()
            known = self._known.get(name)
            if known is not None:  # else forgotten meanwhile
                known.pending = False
                known.address, known.problem = address or known.address, problem
            news.append(name)
        return news

    def forget(self, names: set[str]) -> None:
        """Drop what nobody probes any more, so that the table stays bounded."""
        for name in names:
            self._known.pop(name, None)

    def close(self) -> None:
        """Let the threads go; one stuck in the name server ends with the process."""
        for _ in self._threads:
            with suppress(queue.Full):
                self._wanted.put_nowait(None)
        self.wake.close()
        self._bell.close()

    def _ask(self, name: str, known: _Known, now: float) -> None:
        try:
            self._wanted.put_nowait(name)
        except queue.Full:
            known.problem = "too many names wait to be resolved"
            return
        known.pending, known.asked_at = True, now
        if len(self._threads) < min(THREADS, self._wanted.qsize()):
            thread = threading.Thread(target=self._work, name="names", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (name := self._wanted.get()) is not None:
            self._found.put((name, *_resolve(name)))
            # full: it rings already; closed: nobody listens any more
            with suppress(OSError):
                self._bell.send(b".")


def _resolve(name: str) -> tuple[str, str]:
    """The first address, IPv4 preferred: what most services of a private network listen on."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        detail = error.strerror if isinstance(error, socket.gaierror) else str(error)
        return "", f"name {name} does not resolve: {detail}"
    found.sort(key=lambda row: row[0] != socket.AF_INET)
    return str(found[0][4][0]), ""
