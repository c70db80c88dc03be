"""One small HTTP/1.1 service over asyncio streams, shared by the example services.

The loop answers /healthz itself; the application works in threads, so health stays
answerable while a recording is being processed. SIGTERM drains: /healthz says 503, new work
is refused, work in flight is finished, then the process ends.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from examples.http_message import (
    Answer,
    Refusal,
    Request,
    answer_encode,
    answer_json,
    head_parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from examples.http_message import Head

HEAD_LIMIT = 16 * 1024
IDLE_S = 75.0  # a kept-alive connection without a request
BODY_S = 10.0
WRITE_S = 10.0
LINGER_S = 1.0  # reading on after a refusal, so that its answer is not lost to a reset
DRAIN_S = 3.5
CLOSE_S = 0.5  # with DRAIN_S well inside the 5 s a stopping host grants
IN_FLIGHT_LIMIT = 8
CONNECTION_LIMIT = 256
BACKLOG = 128
LOAD_TAU_S = 5.0

log = logging.getLogger(__name__)


class Application(Protocol):
    """The work behind the service."""

    body_limit: int
    threads: int

    def handle(self, request: Request) -> Answer:
        """Answer one request or raise Refusal; called in a worker thread."""


@dataclass(frozen=True, slots=True)
class Identity:
    pool: str
    instance: str
    boot_id: str
    build: str


class LoadGauge:
    """Share of the capacity in use, averaged exponentially over the last seconds."""

    def __init__(self, *, capacity: int, tau_s: float, now: float) -> None:
        self.in_use = 0
        self._capacity = capacity
        self._tau_s = tau_s
        self._level = 0.0
        self._at = now

    def change(self, by: int, *, now: float) -> None:
        self._level = self.read(now=now)
        self._at = now
        self.in_use += by

    def read(self, *, now: float) -> float:
        share = self.in_use / self._capacity
        return share + (self._level - share) * math.exp(-(now - self._at) / self._tau_s)


class Service:
    def __init__(
        self,
        application: Application,
        identity: Identity,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._identity = identity
        self._monotonic = monotonic
        self._gauge = LoadGauge(capacity=IN_FLIGHT_LIMIT, tau_s=LOAD_TAU_S, now=monotonic())
        self._threads = ThreadPoolExecutor(application.threads, thread_name_prefix="work")
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stop = asyncio.Event()

    async def run(
        self,
        listener: socket.socket,
        *,
        stop_signals: Sequence[signal.Signals],
        lifeline: int | None = None,
    ) -> None:
        """Serve until a stop signal, then drain.

        `lifeline` is the read end of a pipe nobody writes to: its end means the process that
        started this one is gone.
        """
        loop = asyncio.get_running_loop()
        for number in stop_signals:
            loop.add_signal_handler(number, self._stop.set)
        # A forking starter blocks these until there is a handler, so that none is lost.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals)
        if lifeline is not None:
            loop.add_reader(lifeline, os._exit, 1)
        server = await asyncio.start_server(
            self._converse, sock=listener, limit=HEAD_LIMIT, backlog=BACKLOG
        )
        await self._stop.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), DRAIN_S)
        server.close()
        await self._close_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _close_all(self) -> None:
        writers = list(self._writers)
        for writer in writers:
            writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(
                    *(writer.wait_closed() for writer in writers), return_exceptions=True
                )

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= CONNECTION_LIMIT:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the caller went away or said nothing; there is no one to answer
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request and answer it; return whether the connection is kept."""
        try:
            async with asyncio.timeout(IDLE_S):
                raw = await reader.readuntil(b"\r\n\r\n")
            head = head_parse(raw)
            if head.path == "/healthz" and not head.length:
                return await self._write(writer, self._health(head), head)
            with self._in_flight(head):
                request = await self._request(head, reader, writer)
                answer = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._handle, request
                )
                return await self._write(writer, answer, head)
        except asyncio.LimitOverrunError:
            refusal = Refusal(431, f"request head is over {HEAD_LIMIT} bytes: send fewer headers")
        except Refusal as refused:
            refusal = refused
        # What follows on the connection is not known to be a request: it ends here.
        await self._refuse(reader, writer, refusal)
        return False

    @contextmanager
    def _in_flight(self, head: Head) -> Iterator[None]:
        if self._stop.is_set():
            raise Refusal(503, "this instance is draining: call another one")
        if self._gauge.in_use >= IN_FLIGHT_LIMIT:
            busy = f"{IN_FLIGHT_LIMIT} requests are in flight here: call another instance"
            raise Refusal(503, busy, headers={"Retry-After": "1"})
        if head.length > self._application.body_limit:
            limit = self._application.body_limit
            raise Refusal(413, f"body of {head.length} bytes is over the limit of {limit}")
        self._gauge.change(1, now=self._monotonic())
        self._idle.clear()
        try:
            yield
        finally:
            self._gauge.change(-1, now=self._monotonic())
            if not self._gauge.in_use:
                self._idle.set()

    async def _request(
        self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Request:
        if head.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(BODY_S):
                body = await reader.readexactly(head.length)
        except TimeoutError:
            raise Refusal(408, f"the body did not arrive within {BODY_S:.0f} s") from None
        return Request(head.method, head.path, head.headers, body)

    def _handle(self, request: Request) -> Answer:
        try:
            return self._application.handle(request)
        except Refusal as refusal:
            return refusal.answer
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return answer_json(500, {"error": "this instance failed: call another one"})

    def _health(self, head: Head) -> Answer:
        if head.method not in {"GET", "HEAD"}:
            raise Refusal(405, "/healthz takes GET", headers={"Allow": "GET, HEAD"})
        draining = self._stop.is_set()
        load = round(self._gauge.read(now=self._monotonic()), 3)
        content = {
            "status": "draining" if draining else "ok",
            "pool": self._identity.pool,
            "instance": self._identity.instance,
            "load": load,
            "in_flight": self._gauge.in_use,
            "boot_id": self._identity.boot_id,
            "build": self._identity.build,
        }
        headers = {"X-Boot-Id": self._identity.boot_id, "X-Load": str(load)}
        return answer_json(503 if draining else 200, content, headers=headers)

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer, head: Head) -> bool:
        keep_alive = head.keep_alive and not self._stop.is_set()
        with_body = head.method != "HEAD"
        writer.write(answer_encode(answer, keep_alive=keep_alive, with_body=with_body))
        async with asyncio.timeout(WRITE_S):
            await writer.drain()
        return keep_alive

    async def _refuse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: Refusal
    ) -> None:
        writer.write(answer_encode(refusal.answer, keep_alive=False))
        if writer.can_write_eof():
            writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while await reader.read(64 * 1024):
                    pass


def listener_open(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
