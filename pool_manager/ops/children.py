"""Child processes kept alive: started anew with back-off when they die, ended in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pool_manager.ops.rules import restart_delay_s
from pool_manager.stores import lifeline

DRAIN_S = 12.0
STEADY_S = 30.0  # a child that ran so long starts its back-off anew


@dataclass(slots=True)
class Child:
    """One process to keep alive; `once` children may end with status 0 and stay ended."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None

    @property
    def running(self) -> bool:
        """Whether it was alive when last looked at."""
        return self.process is not None and self.process.poll() is None


class Children:
    """Invariant: whoever is in `_children` runs, or has a moment `due` at which it is started."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._lifeline_read, self._lifeline_write = os.pipe()

    @property
    def lifeline_fd(self) -> int:
        """The read end that children inherit; it closes when we end in whatever way."""
        return self._lifeline_read

    def start(self, child: Child) -> None:
        """Start it and keep it alive from now on."""
        self._children.append(child)
        self._spawn(child)

    def run(
        self, child: Child, *, rest: Callable[[float], None], give_up: Callable[[], bool]
    ) -> int:
        """Run one to its end; its exit status. The others are looked after meanwhile."""
        self._spawn(child)
        process = child.process
        while process is not None and process.poll() is None:
            if give_up():
                _end([child])
                break
            rest(min(0.5, self.look()))
        return process.returncode if process is not None else 1

    def _spawn(self, child: Child) -> None:
        env = {**os.environ, **child.env, lifeline.ENV: str(self._lifeline_read)}
        child.process = subprocess.Popen(
            child.command,
            env=env,
            stdin=subprocess.DEVNULL,
            pass_fds=(self._lifeline_read, *child.pass_fds),
            start_new_session=True,  # Ctrl-C reaches us alone; we end them in order
        )
        child.started, child.due = time.monotonic(), None

    def look(self) -> float:
        """Start what is due, note what died; seconds until the next look is needed."""
        now = time.monotonic()
        for child in list(self._children):
            if child.due is not None:
                if now >= child.due:
                    self._spawn(child)
            elif not child.running:
                self._died(child, now)
        dues = [child.due - now for child in self._children if child.due is not None]
        return max(0.0, min(dues, default=60.0))

    def _died(self, child: Child, now: float) -> None:
        status = child.process.returncode if child.process else 0
        if child.once and status == 0:
            self._children.remove(child)
            return
        child.failures = 0 if now - child.started >= STEADY_S else child.failures + 1
        delay = restart_delay_s(child.failures)
        child.due = now + delay
        self._say(f"{child.name} ended ({status_words(status)}); started again in {delay:g} s")

    def end(self, *, last: str) -> None:
        """End all, the child named `last` after the others; nothing is left when this returns."""
        for group in (
            [child for child in self._children if child.name != last],
            [child for child in self._children if child.name == last],
        ):
            _end(group)
        self._children.clear()
        os.close(self._lifeline_write)
        os.close(self._lifeline_read)


def _end(children: Sequence[Child]) -> None:
    for child in children:
        if child.process is not None and child.running:
            child.process.terminate()
            child.process.send_signal(signal.SIGCONT)  # a stopped one hears it only then
    until = time.monotonic() + DRAIN_S
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            # stopped or stuck: a kill ends a stopped process too
            child.process.kill()
            child.process.wait()


def status_words(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def python(*arguments: str) -> list[str]:
    """A command that runs this very Python."""
    return [sys.executable, *arguments]
