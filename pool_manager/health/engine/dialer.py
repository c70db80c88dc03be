"""Sockets: one call a target, one connection a call, no task, no thread, no callback object a probe.

All sockets live in one selector (epoll, kqueue). Its own descriptor is readable whenever one of them
is, so an event loop watches that one descriptor, and whoever judges deadlines can read everything
that has arrived first.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pool_manager.health.engine.allow import Allow
from pool_manager.health.engine.names import Names, is_address
from pool_manager.health.probes.base import Answer

if TYPE_CHECKING:
    from pool_manager.health.probes.base import Exchange, Opener

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
READ_BYTES = 65536
REFUSALS_MAX = 100_000
_UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK}
_OURS = {
    errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES, errno.ENETUNREACH, errno.ENETDOWN,
}  # fmt: skip
_CLOSED = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}
_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}


class Stage(IntEnum):
    """Where a call stands."""

    IDLE = 0  # no probe runs; a kept connection may be open
    NAMING = 1
    CONNECTING = 2
    TALKING = 3


class Call:
    """A target as the dialer sees it, with its connection and the probe that runs, if any."""

    __slots__ = (
        "address", "deadline", "exchange", "heard", "host", "keep", "literal", "opener", "port",
        "retried", "reused", "sock", "stage", "started", "timeout_ms", "turn", "unsent", "wanted",
    )  # fmt: skip

    def __init__(
        self, *, host: str, port: int, timeout_ms: int, opener: Opener, keep: bool
    ) -> None:
        self.host = host
        self.port = port
        self.literal = is_address(host)
        self.timeout_ms = timeout_ms
        self.opener = opener
        self.keep = keep  # whether a reusable connection stays open between probes
        self.turn = 0
        self.stage = Stage.IDLE
        self.started = self.deadline = 0.0
        # Invariant: `sock` is registered with the selector whenever it is not None.
        self.sock: socket.socket | None = None
        self.wanted = 0  # the events it is registered for
        self.address = ""
        self.exchange: Exchange | None = None
        self.reused = self.heard = self.retried = False
        self.unsent = b""


C = TypeVar("C", bound=Call)
C_contra = TypeVar("C_contra", bound=Call, contravariant=True)


class Listener(Protocol[C_contra]):
    """Who is told; may begin the next probe from within."""

    def answered(self, call: C_contra, answer: Answer, now: float) -> None:
        """The probe that ran has its answer."""
        ...

    def closed_idle(self, call: C_contra, now: float) -> None:
        """The target closed the kept connection between probes."""
        ...


class Dialer(Generic[C]):
    """Runs probes, one at a time for each call."""

    def __init__(self, listener: Listener[C]) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._names = Names()
        self._naming: dict[str, set[C]] = {}
        self._selector.register(self._names.wake, READ, None)
        self.allow(Allow(()))

    def fileno(self) -> int:
        """Readable when `drain` has something to do."""
        return self._selector.fileno()

    def allow(self, allow: Allow) -> None:
        """Judge every connection made from now on by these networks."""
        self._allow = allow
        self._refusals: dict[str, str] = {}

    def refused(self, address: str) -> str:
        """Why this address may not be probed, or an empty string."""
        refusal = self._refusals.get(address)
        if refusal is None:
            if len(self._refusals) > REFUSALS_MAX:
                self._refusals.clear()
            refusal = self._refusals[address] = self._allow.refusal(address)
        return refusal

    def begin(self, call: C, now: float) -> None:
        """Start a probe; its answer may come before this returns."""
        call.turn += 1
        call.started = now
        call.deadline = now + call.timeout_ms / 1000
        call.retried = False
        self._dial(call, now)

    def expire(self, call: C, now: float) -> None:
        """The deadline has passed: answer with what it was waiting for."""
        waits = {Stage.NAMING: "resolving the name", Stage.CONNECTING: "connecting"}
        exchange = call.exchange
        what = waits.get(call.stage) or (exchange.waiting if exchange else "")
        self._answer(
            call, Answer(ok=False, reason=f"timeout after {call.timeout_ms} ms {what}"), now
        )

    def cancel(self, call: C) -> None:
        """End the probe that runs without an answer, and the connection."""
        call.turn += 1
        self._unname(call)
        self.hang_up(call)
        call.stage = Stage.IDLE
        call.exchange = None

    def hang_up(self, call: C) -> None:
        """Close the connection, if there is one."""
        if call.sock is not None:
            self._selector.unregister(call.sock)
            call.sock.close()
            call.sock = None

    def drain(self, timeout_s: float = 0.0) -> None:
        """Handle everything that has arrived, waiting at most `timeout_s` for the first."""
        for key, mask in self._selector.select(timeout_s):
            call: C | None = key.data
            if call is None:
                self._named()
            elif call.sock is key.fileobj:
                self._ready(call, mask)

    def forget_name(self, name: str) -> None:
        """Nobody probes this name any more."""
        self._names.forget({name})

    def close(self) -> None:
        """Close the selector; the calls must have been cancelled."""
        self._selector.unregister(self._names.wake)
        self._names.close()
        self._selector.close()

    def _dial(self, call: C, now: float) -> None:
        address, problem = (call.host, "") if call.literal else self._names.lookup(call.host, now)
        if problem:
            self._answer(call, Answer(ok=False, reason=problem), now)
        elif not address:
            call.stage = Stage.NAMING
            self._naming.setdefault(call.host, set()).add(call)
        elif refusal := self.refused(address):
            self._answer(call, Answer(ok=None, reason=refusal), now)
        elif call.sock is not None and call.address == address:
            self._reuse(call, now)
        else:
            self._connect(call, address, now)

    def _reuse(self, call: C, now: float) -> None:
        call.reused = True
        self._talk(call, now)

    def _connect(self, call: C, address: str, now: float) -> None:
        self.hang_up(call)
        call.reused = False
        call.stage = Stage.CONNECTING
        call.address = address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._errno(call, error.errno, now)
            return
        sock.settimeout(0)
        code = sock.connect_ex((address, call.port))
        if code in _UNDER_WAY:
            call.sock = sock
            call.wanted = WRITE
            self._selector.register(sock, WRITE, call)
        else:
            sock.close()
            self._errno(call, code, now)

    def _talk(self, call: C, now: float) -> None:
        """The connection stands: say what the kind has to say."""
        call.stage = Stage.TALKING
        call.heard = False
        exchange = call.exchange = call.opener()
        said = exchange.opened()
        if isinstance(said, Answer):
            self._answer(call, said, now)
            return
        call.unsent = said
        self._send(call, now)

    def _send(self, call: C, now: float) -> None:
        sock = call.sock
        if sock is None:
            return
        try:
            sent = sock.send(call.unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._cut(call, error.errno, now)
            return
        call.unsent = call.unsent[sent:]
        wanted = READ | WRITE if call.unsent else READ
        if call.wanted != wanted:
            call.wanted = wanted
            self._selector.modify(sock, wanted, call)

    def _ready(self, call: C, mask: int) -> None:
        now = time.monotonic()
        if call.stage is Stage.CONNECTING:
            self._connected(call, now)
        elif mask & READ:
            self._read(call, now)
        else:
            self._send(call, now)

    def _connected(self, call: C, now: float) -> None:
        assert call.sock is not None  # noqa: S101 - the invariant of Call, said to the type checker
        code = call.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._errno(call, code, now)
        else:
            self._talk(call, now)

    def _read(self, call: C, now: float) -> None:
        assert call.sock is not None  # noqa: S101 - the invariant of Call, said to the type checker
        code: int | None = None
        try:
            data = call.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            data, code = b"", error.errno
        exchange = call.exchange
        if exchange is None:
            # between probes: a close, or unasked words that end in one (some servers say 408 first)
            self.hang_up(call)
            self._listener.closed_idle(call, now)
        elif not data:
            self._cut(call, code, now)
        else:
            call.heard = True
            answer = exchange.received(data)
            if answer is not None:
                self._answer(call, answer, now)

    def _cut(self, call: C, code: int | None, now: float) -> None:
        """The connection ended under a probe.

        A kept connection that ends right after our request without a byte back is a race with the
        server's own idle timeout, no failure: the same probe goes on, once, on a fresh connection.
        """
        if call.reused and not call.heard and not call.retried:
            call.retried = True
            call.exchange = None
            self.hang_up(call)
            self._dial(call, now)
        elif code is not None:
            self._errno(call, code, now)
        elif call.exchange is not None:
            self._answer(call, call.exchange.ended(), now)

    def _errno(self, call: C, code: int | None, now: float) -> None:
        code = code or 0
        answer = Answer(
            ok=None if code in _OURS else False,
            reason=_WORDS.get(code) or os.strerror(code).lower(),
            closed=code in _CLOSED,
        )
        self._answer(call, answer, now)

    def _answer(self, call: C, answer: Answer, now: float) -> None:
        call.turn += 1
        self._unname(call)
        call.stage = Stage.IDLE
        call.exchange = None
        call.unsent = b""
        if not (answer.reusable and call.keep):
            self.hang_up(call)
        self._listener.answered(call, answer, now)

    def _named(self) -> None:
        for name in self._names.collect():
            for call in self._naming.pop(name, set()):
                self._dial(call, time.monotonic())

    def _unname(self, call: C) -> None:
        if call.stage is Stage.NAMING:
            with suppress(KeyError):
                self._naming[call.host].discard(call)
