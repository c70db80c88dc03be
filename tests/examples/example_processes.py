"""Example services as real processes, for tests; everything started here is ended here."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from examples.demo.plan import can_bind
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
ADDRESS = "127.9.0.1" if can_bind("127.9.0.1") else "127.0.0.1"


def wait_until(fact: Callable[[], bool], what: str, *, seconds: float = 5.0) -> None:
    waiting.wait_until(fact, seconds=seconds, what=what, every=0.01)


def free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind((ADDRESS, 0))
        return [int(one.getsockname()[1]) for one in taken]
    finally:
        for one in taken:
            one.close()


def is_gone(pid: int) -> bool:
    """Whether it has ended; what nobody has reaped yet has ended too."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
    ).stdout.strip()
    return not state or state.startswith("Z")


def health(port: int) -> dict[str, Any]:
    response = requests.get(f"http://{ADDRESS}:{port}/healthz", timeout=2)
    content: dict[str, Any] = response.json()
    assert response.headers["X-Boot-Id"] == content["boot_id"]
    return content


@dataclass
class LineReader:
    """Lines of a process' stdout, each waited for with a deadline."""

    process: subprocess.Popen[bytes]
    _rest: bytes = b""

    def line(self, seconds: float = 5.0) -> str:
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            if not ready:
                raise AssertionError(f"no line within {seconds} s")
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                raise AssertionError("the process closed its output")
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()


@contextmanager
def running(*arguments: str) -> Iterator[LineReader]:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        try:
            yield LineReader(process)
        finally:
            process.kill()


@dataclass
class RunningRecording:
    process: subprocess.Popen[bytes]
    url: str
    port: int
    store: Path

    def stored(self, pattern: str = "objects/*/*.wav") -> list[Path]:
        return sorted(self.store.glob(pattern))

    def process_clip(self, body: bytes, key: str | None = None) -> requests.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return requests.post(f"{self.url}process", data=body, headers=headers, timeout=10)


@contextmanager
def running_recording(store: Path) -> Iterator[RunningRecording]:
    with running(
        *("-m", "examples.recording", "--address", ADDRESS, "--port", "0", "--store", str(store))
    ) as reader:
        url = re.search(r"http://[^ ]+:(\d+)/", reader.line())
        assert url is not None
        yield RunningRecording(reader.process, url[0], int(url[1]), store)


@dataclass
class RunningHost:
    process: subprocess.Popen[bytes]
    reader: LineReader
    seen: list[dict[str, Any]] = field(default_factory=list)

    def event(self, name: str, seconds: float = 5.0) -> dict[str, Any]:
        """Read on to the next event of this name."""
        while True:
            content: dict[str, Any] = json.loads(self.reader.line(seconds))
            self.seen.append(content)
            if content["event"] == name:
                return content


@contextmanager
def running_host(
    store: Path, instances: str, *, respawn: str = "0.3", peers: str = ""
) -> Iterator[RunningHost]:
    with running(
        *("-m", "examples.demo.host", "--name", "a1", "--zone", "zone-a", "--address", ADDRESS),
        *("--instances", instances, "--recording-peers", peers),
        *("--store", str(store), "--respawn", respawn),
    ) as reader:
        host = RunningHost(reader.process, reader)
        yield host
        host.process.kill()
        pids = [event["pid"] for event in host.seen if "pid" in event]
        wait_until(lambda: all(map(is_gone, pids)), f"instances {pids} gone", seconds=3)
