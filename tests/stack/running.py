"""The product run for real: `manage.py up` in a data dir of its own, and what a client needs of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from websockets.sync.client import ClientConnection, connect

from tests.waiting import wait_until

T = TypeVar("T")

CHECKOUT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-for-tests"
DEMO_SIZE = 36
UP_S = 60.0
DOWN_S = 30.0


def clean_env(**extra: str) -> dict[str, str]:
    """Today's environment without what this test run set for itself."""
    ours = ("POOL_MANAGER_", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "POOL_MANAGER_ADMIN_PASSWORD": PASSWORD, **extra}


@dataclass
class Up:
    """A running `up`; `said` is what it printed so far."""

    data_dir: Path
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def url(self) -> str:
        found = re.search(r"is up at (\S+?)/\n", self.text)
        assert found, self.text
        return found[1]

    def wait_announced(self) -> None:
        def look() -> bool:
            assert self.process.poll() is None, self.text
            return "is up at" in self.text and "Ctrl-C" in self.text

        wait_until(look, seconds=UP_S, what="up says where it is")

    def login(self) -> requests.Session:
        """The operator's browser session."""
        http = requests.Session()
        page = http.get(f"{self.url}/login/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text
        answer = http.post(
            f"{self.url}/login/",
            data={"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": token[1]},
            headers={"Referer": f"{self.url}/login/"},
            timeout=10,
        )
        assert answer.url == f"{self.url}/", answer.url
        return http

    def fleet(self, http: requests.Session) -> dict[str, dict[str, Any]]:
        """Every instance by name, as the overview gets it."""
        body = http.get(f"{self.url}/fleet.json", timeout=10).json()
        rows = [dict(zip(body["fields"], row, strict=True)) for row in body["instances"]]
        return {row["name"]: row for row in rows}

    def settled(self, http: requests.Session) -> dict[str, dict[str, Any]]:
        """The demo fleet by name, once every instance is up."""

        def look() -> dict[str, dict[str, Any]] | None:
            rows = self.fleet(http)
            fine = len(rows) == DEMO_SIZE and all(row["health"] == "up" for row in rows.values())
            return rows if fine else None

        return wait_until(look, seconds=60, what="every instance of the demo is up", every=0.2)

    def processes(self) -> list[int]:
        """Every living process that was given this data dir, the supervisor included."""
        return processes_with(f"POOL_MANAGER_DATA_DIR={self.data_dir}", words=str(self.data_dir))

    def children_named(self, words: str) -> list[int]:
        """Those of them whose command line contains `words`."""
        return [pid for pid in self.processes() if words in command_line(pid)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=DOWN_S)


def processes_with(variable: str, *, words: str) -> list[int]:
    """Those with the variable in their environment, `words` in their command line, or in their
    working directory: a server that sets its process title has overwritten the first two.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            state = (entry.parent / "stat").read_text().rpartition(")")[2].split()[0]
            pid = int(entry.parent.name)
            if state == "Z" or pid == os.getpid():
                continue
            places = (command_line(pid), str((entry.parent / "cwd").readlink()))
            if variable.encode() in entry.read_bytes().split(b"\0") or any(
                words in place for place in places
            ):
                found.append(pid)
    return found


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@contextlib.contextmanager
def up_running(data_dir: Path, *options: str, **env: str) -> Iterator[Up]:
    """Start it, wait until it says where it is, and have it gone in the end, whatever happened."""
    up = up_start(data_dir, *options, **env)
    try:
        up.wait_announced()
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
        try:
            up.process.wait(timeout=DOWN_S)
        finally:
            for pid in up.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert up.process.stdout
            up.process.stdout.close()


def up_start(data_dir: Path, *options: str, **env: str) -> Up:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--data-dir", str(data_dir), *options],
        cwd=CHECKOUT,
        env=clean_env(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    up = Up(data_dir, process)
    threading.Thread(target=_pump, args=(up,), daemon=True).start()
    return up


def _pump(up: Up) -> None:
    with contextlib.suppress(ValueError):
        for line in up.process.stdout or ():
            up.said.append(line)


def up_fails(*options: str, **env: str) -> tuple[int, str]:
    """Run an `up` that is expected to refuse; exit status and what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", "up", *options],
        cwd=CHECKOUT,
        env=clean_env(**env),
        capture_output=True,
        text=True,
        timeout=UP_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class Feed:
    """A reader of the live socket that keeps its place."""

    def __init__(self, up: Up, http: requests.Session) -> None:
        self._up = up
        self._cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        self._opened = contextlib.ExitStack()
        self._tcp: socket.socket | None = None
        self._socket: ClientConnection | None = None

    def open(self, *, after: int | None, **filters: Sequence[str] | str) -> dict[str, Any]:
        """Connect and subscribe; the hello frame."""
        self.subscribe(after=after, **filters)
        return self.hello()

    def subscribe(self, *, after: int | None, **filters: Sequence[str] | str) -> None:
        """Connect and say what is wanted; nothing is read yet."""
        self.close()
        where = urlsplit(self._up.url)
        self._tcp = socket.create_connection((where.hostname, where.port), timeout=10)
        self._socket = self._opened.enter_context(
            connect(
                f"ws://{where.netloc}/ws/live/",
                sock=self._tcp,
                additional_headers={"Cookie": self._cookies, "Origin": self._up.url},
                open_timeout=10,
                proxy=None,
            )
        )
        self._socket.send(json.dumps({"type": "subscribe", "after": after, **filters}))

    def hello(self) -> dict[str, Any]:
        """The first frame after `subscribe`."""
        hello = self.frame(timeout=10)
        assert hello["type"] == "hello", hello
        return hello

    def frame(self, *, timeout: float) -> dict[str, Any]:
        assert self._socket
        body: dict[str, Any] = json.loads(self._socket.recv(timeout=timeout))
        return body

    def events(self, *, timeout: float) -> dict[str, Any]:
        """The next frame of events; `timeout` is for all that comes before it, too."""
        end = time.monotonic() + timeout
        while True:
            frame = self.frame(timeout=max(0.0, end - time.monotonic()))
            if frame["type"] == "events":
                return frame

    def abort(self) -> None:
        """Cut the connection without a word: a TCP reset, and what was not read is lost."""
        assert self._tcp
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._tcp.close()
        self.close()  # ends the client's thread; nothing can be sent any more

    def close(self) -> None:
        self._opened.close()
        self._socket = self._tcp = None


@dataclass
class Story:
    """What the socket tells, in order, from the moment the feed was opened."""

    feed: Feed
    events: list[dict[str, Any]] = field(default_factory=list)

    def of(self, name: str) -> list[dict[str, Any]]:
        """The events of one instance."""
        return [event for event in self.events if event["instance"] == name]

    def until(self, look: Callable[[], T | None], *, seconds: float, what: str) -> T:
        """Read on until `look`, which looks at this story, gives something."""
        end = time.monotonic() + seconds
        while not (found := look()):
            try:
                frame = self.feed.events(timeout=end - time.monotonic())
            except TimeoutError:
                kinds = [f"{event['kind']} {event['instance']}" for event in self.events]
                raise AssertionError(f"not within {seconds:g} s: {what}; but {kinds}") from None
            self.events += frame["events"]
        return found

    def event(self, kind: str, name: str | None, *, seconds: float) -> dict[str, Any]:
        """The first event of that kind and instance."""

        def look() -> dict[str, Any] | None:
            fits = (e for e in self.events if (e["kind"], e["instance"]) == (kind, name))
            return next(fits, None)

        return self.until(look, seconds=seconds, what=f"{kind} {name or ''}")

    def listen(self, *, seconds: float) -> None:
        """Read whatever comes for so long."""
        end = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while (left := end - time.monotonic()) > 0:
                self.events += self.feed.events(timeout=left)["events"]
