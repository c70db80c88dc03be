"""Servers that misbehave in one way each, and the engine as a real process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from pool_manager.health.engine.wire import (
    AllowNetworks,
    Hello,
    LineReader,
    Order,
    Report,
    ResultRow,
    SignalRow,
    Target,
    decode,
    encode,
)

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LOOPBACK = ("127.0.0.0/8",)
Behaviour = Callable[["Site", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ok(body: bytes = b"ok", *headers: bytes) -> bytes:
    return answer(b"200 OK", body, *headers)


def answer(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Site:
    """A server on loopback; what it does with a connection can be changed while it runs."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.connections = 0
        self.requests = 0
        self.heads: list[bytes] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        self.heads.append(head)
        return head

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.behave(self, reader, writer)
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()
            self._writers.discard(writer)
            if task is not None:
                self._tasks.discard(task)


@contextlib.asynccontextmanager
async def site(behave: Behaviour) -> AsyncIterator[Site]:
    made = Site(behave)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def says(*parts: bytes, every_s: float = 0.0) -> Behaviour:
    """Answers each request with these bytes, and keeps the connection."""

    async def behave(at: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await at.request(reader)
            for part in parts:
                writer.write(part)
                await asyncio.sleep(every_s)

    return behave


def says_and_closes(*parts: bytes, after_s: float = 0.0) -> Behaviour:
    async def behave(at: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await at.request(reader)
        for part in parts:
            writer.write(part)
        await writer.drain()
        await asyncio.sleep(after_s)

    return behave


async def hangs(at: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del writer
    await at.request(reader)
    await asyncio.Event().wait()


async def resets(at: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await at.request(reader)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class ServerProcess:
    """A small healthy server in a process of its own, to be killed and stopped."""

    def __init__(self, port: int = 0, boot_id: str = "b1") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "small_server.py"), str(port), boot_id],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdout, self.process.stdin):
            if pipe is not None:
                pipe.close()


class EngineProcess:
    """The engine as its parent sees it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so that not reading is felt
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pool_manager.health.engine", "--fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        ours.settimeout(10)
        self.sock = ours
        self._lines = LineReader()
        self.signals: list[SignalRow] = []
        self.results: list[ResultRow] = []
        self.reports: list[Report] = []
        self.hello: Hello | None = None

    def begin(self) -> None:
        self.until(lambda: self.hello is not None)
        self.send(AllowNetworks(LOOPBACK))

    def send(self, *orders: Order) -> None:
        self.sock.sendall(b"".join(map(encode, orders)))

    def until(self, true: Callable[[], bool], within_s: float = 10.0) -> None:
        give_up_at = time.monotonic() + within_s
        while not true():
            left = give_up_at - time.monotonic()
            assert left > 0, f"not within {within_s} s; signals: {self.signals[-5:]}"
            self.read(left)

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def read(self, timeout_s: float) -> None:
        self.sock.settimeout(timeout_s)
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            return
        assert data, "the engine closed its side"
        for line in self._lines.feed(data):
            message = decode(line)
            if isinstance(message, Hello):
                self.hello = message
            assert isinstance(message, Hello | Report)
            if isinstance(message, Report):
                self.reports.append(message)
                self.signals.extend(message.signals)
                self.results.extend(message.results)

    def told(self, kind: str, target_id: str | None = None) -> list[SignalRow]:
        return [
            row
            for row in self.signals
            if row.kind == kind and (target_id is None or row.id == target_id)
        ]

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))  # noqa: PTH208 - a count, no paths

    def close(self) -> None:
        self.sock.close()
        try:
            self.process.wait(5)
        finally:
            self.process.kill()
            self.process.wait(5)


@contextlib.contextmanager
def engine() -> Iterator[EngineProcess]:
    made = EngineProcess()
    try:
        made.begin()
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            made.process.send_signal(signal.SIGCONT)
        made.close()


@contextlib.contextmanager
def server(port: int = 0, boot_id: str = "b1") -> Iterator[ServerProcess]:
    made = ServerProcess(port, boot_id)
    try:
        yield made
    finally:
        made.close()


def target(port: int, target_id: str = "t", **settings: object) -> Target:
    fields: dict[str, object] = {
        "id": target_id,
        "address": "127.0.0.1",
        "port": port,
        "fall": 2,
        "interval_ms": 200,
        **settings,
    }
    return Target(**fields)  # type: ignore[arg-type] # a table row of a test


def json_body(value: object) -> bytes:
    return ok(json.dumps(value).encode())
