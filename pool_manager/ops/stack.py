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

from pool_manager.core.env import Env
from pool_manager.ops.children import Child, Children, python
from pool_manager.ops.data_dir import PASSWORD_FILE, RUNNING_FILE, DataDir
from pool_manager.ops.fingerprint import fingerprint
from pool_manager.stores.embedded import server_command

STORE_UP_S = 10.0
WEB_UP_S = 20.0
WEB_FIRST_S = 5.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # shown, not bound
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
        self,
        plan: Plan,
        *,
        env: Env,
        base_dir: Path,
        data_dir: DataDir,
        listener: socket.socket,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._env = env
        self._base_dir = base_dir
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
        shown = ANYWHERE.get(address, address)
        return f"http://{f'[{shown}]' if ':' in shown and '[' not in shown else shown}:{port}"

    def run(self) -> None:
        """Come up, stay up, and go down when told; leaves no process behind in any case."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in DRAINING:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop
        try:
            self._start()
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

    def _start(self) -> None:
        """Live store, then tables and the like if they are not up to date, then web, then the rest."""
        if self._env.redis_embedded:
            self._children.start(Child(LIVE_STORE, self._live_store_command()))
        self._prepare()
        self._live_store_wait()
        self._data_dir.running_note(self.url)
        for child in self._web():
            self._children.start(child)
        # both cores are the web's for its first second; but probing does not hang on it
        self._web_wait(WEB_FIRST_S)
        for child in self._others():
            self._children.start(child)

    def _prepare(self) -> None:
        """Migrations, static files, the operator: skipped when the very same was prepared before."""
        now = fingerprint(self._base_dir, self._env)
        given = os.environ.get("POOL_MANAGER_ADMIN_PASSWORD", "")
        kept = self._data_dir.password_ensure()
        if self._data_dir.prepared(now) and given in {"", kept}:
            return
        if given:
            self._data_dir.password_keep(given)
        child = Child(
            "prepare",
            python(str(self._base_dir / "manage.py"), "prepare"),
            self._base_env() | {"POOL_MANAGER_OPERATOR_PASSWORD": given or kept},
        )
        status = self._children.run(child, rest=self._rest, give_up=lambda: self._stopping)
        if status and not self._stopping:
            raise StackError("nothing was started: the preparation failed, see above")
        if status == 0:
            self._data_dir.prepared_note(fingerprint(self._base_dir, self._env))

    def _live_store_command(self) -> list[str]:
        return server_command(
            socket=self._live_store_path(),
            data_dir=self._data_dir.path,
            lifeline=self._children.lifeline_fd,
            leftovers=[self._data_dir.path / RUNNING_FILE],
        )

    def _live_store_path(self) -> Path:
        return Path(self._env.redis_url.removeprefix("unix://").partition("?")[0])

    def _live_store_wait(self) -> None:
        until = time.monotonic() + STORE_UP_S
        while self._env.redis_embedded and not self._stopping:
            if _pings(self._live_store_path()):
                return
            if time.monotonic() > until:
                log = self._data_dir.path / "live-store" / "server.log"
                raise StackError(
                    f"the bundled valkey-server did not start within {STORE_UP_S:.0f} s; see {log}"
                )
            self._rest(min(0.02, self._children.look()))

    def _base_env(self) -> dict[str, str]:
        path = [str(self._base_dir), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "POOL_MANAGER_DATA_DIR": str(self._data_dir.path),
            "DJANGO_SETTINGS_MODULE": "pool_manager.settings",
            "PYTHONPATH": os.pathsep.join(path),
        }

    def _web(self) -> list[Child]:
        fd = self._listener.fileno()
        env = self._base_env() | {
            "POOL_MANAGER_SQLITE_WAIT_S": "1",
            "ALLOWED_HOSTS": ",".join(self._allowed_hosts()),
        }
        command = python("-m", "pool_manager.ops.web", "--fd", str(fd))
        return [Child(f"web {n}", command, env, (fd,)) for n in range(1, self._plan.web + 1)]

    def _others(self) -> list[Child]:
        manage = str(self._base_dir / "manage.py")
        env = self._base_env()
        here = socket.gethostname()
        return [
            *(
                Child(f"prober {n}", python(manage, "prober", "--name", f"{here}-{n}"), env)
                for n in range(1, self._plan.probers + 1)
            ),
            *self._demo(manage, env),
            *(
                Child(f"worker {n}", python(manage, "rqworker", "-v", "0"), env)
                for n in range(1, self._plan.workers + 1)
            ),
            Child("clock", python(manage, "clock", "--name", here), env),
        ]

    def _demo(self, manage: str, env: dict[str, str]) -> list[Child]:
        if not self._plan.demo:
            return []
        command = python(manage, "demo", "--respawn", self._plan.demo_respawn)
        return [Child("demo", command, env, once=True)]

    def _allowed_hosts(self) -> list[str]:
        """What was configured; else this machine's names, when it listens beyond loopback."""
        if os.environ.get("ALLOWED_HOSTS") or self._plan.host in {"127.0.0.1", "localhost", "::1"}:
            return list(self._env.allowed_hosts)
        return [*self._env.allowed_hosts, self._plan.host, socket.gethostname()]

    def _web_wait(self, seconds: float) -> bool:
        """Until the web process answers; False if it does not within `seconds`."""
        until = time.monotonic() + seconds
        while not self._stopping:
            if _answers(f"{self.url}/readyz"):
                return True
            if time.monotonic() > until:
                return False
            self._rest(min(0.05, self._children.look()))
        return False

    def _announce(self) -> None:
        if not self._web_wait(WEB_UP_S):
            if self._stopping:
                return
            raise StackError(
                f"the web process does not answer at {self.url}/readyz after {WEB_UP_S:.0f} s;"
                " its messages stand above"
            )
        address = self._listener.getsockname()[0]
        open_to = "  (and at this machine's other addresses)" if address in ANYWHERE else ""
        sys.stdout.write(
            f"\n  Pool Manager is up at {self.url}/{open_to}\n"
            f"  user admin, {self._password_words()}\n"
            f"  Ctrl-C stops everything\n\n"
        )
        sys.stdout.flush()

    def _password_words(self) -> str:
        if self._data_dir.password_changed():
            return "password changed since the first start (POOL_MANAGER_ADMIN_PASSWORD resets it)"
        kept = self._data_dir.path / PASSWORD_FILE
        return f"password {self._data_dir.password_ensure()}  (kept in {kept})"


# our own address: never by way of a proxy that the environment names
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=1) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004  # OK
    except (urllib.error.URLError, OSError):
        return False


def _pings(path: Path) -> bool:
    """Whether a Redis-protocol server answers on this socket; no client library, it loads slowly."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
