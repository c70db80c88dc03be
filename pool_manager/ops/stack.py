"""The one-machine stack: which processes, in which order, until told to stop."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import connections

from pool_manager.ops import prepare
from pool_manager.ops.children import Child, Children, python
from pool_manager.ops.data_dir import RUNNING_FILE, DataDir
from pool_manager.stores.embedded import server_command

STORE_UP_S = 10.0
WEB_UP_S = 20.0
LIVE_STORE = "live store"
DRAINING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StackError(Exception):
    """The stack cannot be brought up; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of each, and with the demo or not."""

    host: str
    web: int
    workers: int
    probers: int
    demo: bool
    demo_respawn: str


class Stack:
    """Starts everything, keeps it alive, ends it."""

    def __init__(
        self, plan: Plan, *, data_dir: DataDir, listener: socket.socket, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._data_dir = data_dir
        self._listener = listener
        self._say = say
        self._children = Children(say=say)
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        address, port = self._listener.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104  # shown, not bound
        return f"http://{f'[{shown}]' if ':' in shown and '[' not in shown else shown}:{port}"

    def run(self, *, password: str) -> None:
        """Come up, stay up, and go down when told; leaves no process behind in any case."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in DRAINING:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop
        try:
            self._start(password)
            if not self._stopping:
                self._announce()
            while not self._stopping:
                self._rest(self._children.look())
        finally:
            self._say("stopping")
            self._children.end(last=LIVE_STORE)
            signal.set_wakeup_fd(-1)
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _rest(self, seconds: float) -> None:
        """Until a signal comes, a child dies, or the time is over."""
        select.select([self._wake_read], [], [], seconds)
        try:
            os.read(self._wake_read, 1024)
        except BlockingIOError:
            return

    def _start(self, password: str) -> None:
        """The live store first and meanwhile the tables; then everything that leans on them."""
        if settings.REDIS_EMBEDDED:
            self._children.start(Child(LIVE_STORE, self._live_store_command()))
        prepare.database_prepare()
        prepare.static_prepare()
        prepare.operator_prepare(self._data_dir, password)
        connections.close_all()
        self._live_store_wait()
        self._data_dir.running_note(self.url)
        for child in self._processes():
            self._children.start(child)

    def _live_store_command(self) -> list[str]:
        path = settings.REDIS_URL.removeprefix("unix://").partition("?")[0]
        return server_command(
            socket=Path(path),
            data_dir=self._data_dir.path,
            lifeline=self._children.lifeline_fd,
            leftovers=[self._data_dir.path / RUNNING_FILE],
        )

    def _live_store_wait(self) -> None:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        )
        until = time.monotonic() + STORE_UP_S
        while not self._stopping:
            try:
                client.ping()
            except redis.RedisError as error:
                if time.monotonic() > until:
                    raise StackError(self._live_store_fault(error)) from error
                self._rest(min(0.02, self._children.look()))
            else:
                break
        client.close()

    def _live_store_fault(self, error: Exception) -> str:
        if settings.REDIS_EMBEDDED:
            log = self._data_dir.path / "live-store" / "server.log"
            return f"the bundled valkey-server did not start within {STORE_UP_S:.0f} s; see {log}"
        return f"REDIS_URL: no server answers there ({error}); start it, or unset REDIS_URL"

    def _processes(self) -> list[Child]:
        fd = self._listener.fileno()
        manage = str(settings.BASE_DIR / "manage.py")
        base = {
            "POOL_MANAGER_DATA_DIR": str(self._data_dir.path),
            "DJANGO_SETTINGS_MODULE": "pool_manager.settings",
            "PYTHONPATH": os.pathsep.join(
                [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
        }
        web = base | {
            "POOL_MANAGER_SQLITE_WAIT_S": "1",
            "ALLOWED_HOSTS": ",".join(self._allowed_hosts()),
        }
        here = socket.gethostname()
        return [
            *(
                Child(f"web {n}", python("-m", "pool_manager.ops.web", "--fd", str(fd)), web, (fd,))
                for n in range(1, self._plan.web + 1)
            ),
            *(
                Child(f"prober {n}", python(manage, "prober", "--name", f"{here}-{n}"), base)
                for n in range(1, self._plan.probers + 1)
            ),
            *self._demo(manage, base),
            *(
                Child(f"worker {n}", python(manage, "rqworker", "-v", "0"), base)
                for n in range(1, self._plan.workers + 1)
            ),
            Child("clock", python(manage, "clock", "--name", here), base),
        ]

    def _demo(self, manage: str, env: dict[str, str]) -> list[Child]:
        if not self._plan.demo:
            return []
        command = python(manage, "demo", "--respawn", self._plan.demo_respawn)
        return [Child("demo", command, env, once=True)]

    def _allowed_hosts(self) -> list[str]:
        """What was configured; else this machine's names, when it listens beyond loopback."""
        if os.environ.get("ALLOWED_HOSTS") or self._plan.host in {"127.0.0.1", "localhost", "::1"}:
            return list(settings.ALLOWED_HOSTS)
        return [*settings.ALLOWED_HOSTS, self._plan.host, socket.gethostname(), socket.getfqdn()]

    def _announce(self) -> None:
        until = time.monotonic() + WEB_UP_S
        while not self._stopping:
            if _answers(f"{self.url}/readyz"):
                break
            if time.monotonic() > until:
                raise StackError(
                    f"the web process does not answer at {self.url}/readyz after {WEB_UP_S:.0f} s;"
                    " its messages stand above"
                )
            self._rest(min(0.05, self._children.look()))
        kept = self._data_dir.path / "operator-password"
        sys.stdout.write(
            f"\n  Pool Manager is up at {self.url}/\n"
            f"  user admin, password {self._data_dir.password_ensure()}  (kept in {kept})\n"
            f"  Ctrl-C stops everything\n\n"
        )
        sys.stdout.flush()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # our own http URL
            return bool(answer.status == 200)  # noqa: PLR2004  # OK
    except (urllib.error.URLError, OSError):
        return False
