"""The engine as a process: the parent's lines on one side, the watcher's sockets on the other.

Either dies with the other: the end of the parent's stream ends this process at once.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import uvloop

from pool_manager.health.engine.outbox import Outbox
from pool_manager.health.engine.watcher import Watcher
from pool_manager.health.engine.wire import (
    AllowNetworks,
    Hello,
    LineReader,
    Look,
    Message,
    Stop,
    Targets,
    WireError,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT_EVERY_S = 1.0
BUFFER_HIGH_BYTES = 256 * 1024
MACOS_FILES_MAX = 10_240
TIMER_MIN_S = 0.001  # the loop's timers are in whole milliseconds


class Engine(asyncio.Protocol):
    """One parent, one watcher."""

    def __init__(self, done: Callable[[str], None]) -> None:
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._lines = LineReader()
        self._outbox = Outbox()
        self._watcher = Watcher(clock=time.monotonic, outbox=self._outbox)
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._frozen = False
        self._report_at = time.monotonic() + REPORT_EVERY_S
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and start turning."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=BUFFER_HIGH_BYTES)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._write(encode(Hello(pid=os.getpid(), fd_limit=soft)))
        self._loop.add_reader(self._watcher.dialer.fileno(), self._turn)
        self._turn()

    def data_received(self, data: bytes) -> None:
        """Orders from the parent."""
        try:
            for line in self._lines.feed(data):
                self._obey(decode(line))
        except WireError as error:
            self._done(str(error))
            return
        self._turn()

    def eof_received(self) -> bool:
        """The parent is gone."""
        self._done("")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The parent is gone."""
        del exc
        self._transport = None
        self._done("")

    def pause_writing(self) -> None:
        """The parent reads too slowly: news waits in the outbox, which is bounded."""
        self._paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        self._turn()

    def close(self) -> None:
        """Let go of everything."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._watcher.dialer.fileno())
        self._watcher.close()
        if self._transport is not None:
            self._transport.abort()

    def _obey(self, order: Message) -> None:
        match order:
            case Targets():
                self._watcher.targets_set(order.set)
                self._watcher.targets_drop(order.drop)
                self._settle()
            case AllowNetworks():
                self._watcher.allow(order.cidrs)
            case Look():
                self._watcher.look(order.ids)
            case Stop():
                self._done("")
            case _:
                raise WireError(f"{type(order).__name__} is not an order")

    def _settle(self) -> None:
        """What stays for the life of the process need not be walked by each collection."""
        if not self._frozen:
            self._frozen = True
            gc.collect()
            gc.freeze()

    def _turn(self) -> None:
        self._watcher.turn()
        now = time.monotonic()
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._tell(at_least=1)
        elif self._outbox.urgent:
            self._tell(at_least=0)
        self._arm(now)

    def _tell(self, *, at_least: int) -> None:
        """Signals now; each second everything, and a report even when nothing happened."""
        told = 0
        while not self._paused and (
            told < at_least or self._outbox.urgent or (at_least and self._outbox)
        ):
            self._write(encode(self._watcher.report()))
            told += 1

    def _write(self, line: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(line)

    def _arm(self, now: float) -> None:
        """One timer; an earlier one that is still armed does as well."""
        wanted = min(self._watcher.expected, self._report_at)
        if self._timer is not None and now < self._timer_at <= wanted:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(TIMER_MIN_S, wanted - now)
        self._timer_at = now + delay_s
        self._timer = self._loop.call_later(delay_s, self._fired)

    def _fired(self) -> None:
        self._timer = None
        self._turn()


async def _serve(fd: int) -> str:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def done(problem: str) -> None:
        if not ended.done():
            ended.set_result(problem)

    def broken(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        # a half-dead prober would let verdicts age unseen; a dead one is started again
        error = context.get("exception")
        if isinstance(error, BaseException):
            traceback.print_exception(error)
        done(f"stopped by a fault of its own: {context.get('message')}")

    loop.set_exception_handler(broken)
    loop.add_signal_handler(signal.SIGTERM, done, "")
    engine = Engine(done)
    await loop.create_unix_connection(lambda: engine, sock=socket.socket(fileno=fd))
    problem = await ended
    engine.close()
    return problem


def _raise_descriptor_limit() -> None:
    """One descriptor a target: take all we may have (macOS refuses its own "unlimited")."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, MACOS_FILES_MAX):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


def run(fd: int) -> int:
    """Serve the parent at this descriptor until it goes; the exit status."""
    # Ctrl-C reaches the whole group; the parent decides when probing ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_descriptor_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        problem = runner.run(_serve(fd))
    if problem:
        sys.stderr.write(f"probing engine: {problem}\n")
    return 1 if problem else 0
