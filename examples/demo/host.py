"""One demo host: a process that forks one child for each instance and keeps them running.

Imports happen once, before the forks, so an instance starts in milliseconds and shares the
host's memory. A child that ended is started again after --respawn seconds; a stopped one
(SIGSTOP) is left alone. Every change is one JSON line on stdout. The end of stdin or SIGTERM
ends the host and all its instances; they end with it too if it is killed.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import secrets
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from examples.demo.instance import APPLICATIONS, Surroundings, die_with, instance_run
from examples.demo.plan import BUILD
from examples.peers import peers_parse
from examples.service import Identity, listener_open

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
STOP_S = 5.0
KILL_S = 2.0
OUTPUT_WAIT_S = 1.0  # a reader slower than this misses lines rather than holding the host up
BIND_RETRY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
PORT_LIMIT = 65_535
RESPAWN_S = (0.1, 3600.0)


@dataclass(slots=True)
class Slot:
    """One instance's place. Invariant: `pid` is set or `due` is, or it is never started again."""

    pool: str
    port: int
    pid: int | None = None
    boot_id: str = ""
    due: float | None = 0.0
    refusals: int = 0


@dataclass(slots=True)
class DemoHost:
    around: Surroundings
    address: str
    slots: list[Slot]
    respawn_s: float | None
    stopping: bool = False
    _wake: tuple[int, int] = field(default_factory=os.pipe)
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> None:
        self._listen_for_signals()
        while not self.stopping:
            self._start_due()
            self._wait(self._due_in(), stdin=True)
            self._reap()
        self._stop_all()

    def _listen_for_signals(self) -> None:
        for end in self._wake:
            os.set_blocking(end, False)
        for number in HANDLED:
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)

    def _wait(self, seconds: float | None, *, stdin: bool) -> None:
        sources = [self._wake[0], *([0] if stdin else [])]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self._wake[0] in ready:
            numbers = os.read(self._wake[0], 4096)
            self.stopping |= signal.SIGTERM in numbers or signal.SIGINT in numbers
        if 0 in ready and not os.read(0, 4096):
            self.stopping = True

    def _due_in(self) -> float | None:
        moments = [slot.due for slot in self.slots if slot.due is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _start_due(self) -> None:
        for slot in self.slots:
            if slot.due is not None and slot.due <= time.monotonic():
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        """Bind here, where a refusal can be told, then hand the socket to a child.

        The host's copy is closed at once: were it kept, callers of a killed instance would wait
        in the queue instead of being refused.
        """
        try:
            listener = listener_open(self.address, slot.port)
        except OSError as error:
            retry_s = BIND_RETRY_S[min(slot.refusals, len(BIND_RETRY_S) - 1)]
            slot.refusals += 1
            slot.due = time.monotonic() + retry_s
            reason = (error.strerror or str(error)).lower()
            self._tell("failed", slot, reason=reason, retry_in_s=retry_s)
            return
        with listener:
            slot.boot_id = secrets.token_hex(8)
            slot.pid = self._fork(slot, listener)
        slot.due, slot.refusals = None, 0
        self._tell("started", slot, pid=slot.pid, boot_id=slot.boot_id, build=self.around.build)

    def _fork(self, slot: Slot, listener: socket.socket) -> int:
        identity = Identity(
            slot.pool, f"{self.address}:{slot.port}", slot.boot_id, self.around.build
        )
        host_pid = os.getpid()
        # A signal between the fork and the child's own handlers would be told to the host.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            return pid
        try:
            for end in (*self._wake, self._lifeline[1]):
                os.close(end)
            instance_run(
                self.around, identity, listener, host_pid=host_pid, lifeline=self._lifeline[0]
            )
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for slot in self.slots:
                if slot.pid == pid:
                    self._ended(slot, status)

    def _ended(self, slot: Slot, status: int) -> None:
        pid, slot.pid = slot.pid, None
        respawn_s = None if self.stopping else self.respawn_s
        slot.due = None if respawn_s is None else time.monotonic() + respawn_s
        self._tell("exited", slot, pid=pid, status=status_text(status), respawn_in_s=respawn_s)

    def _stop_all(self) -> None:
        self._signal_all(signal.SIGTERM, signal.SIGCONT)  # a stopped one must run to hear it
        self._reap_until(time.monotonic() + STOP_S)
        self._signal_all(signal.SIGKILL)
        self._reap_until(time.monotonic() + KILL_S)

    def _signal_all(self, *numbers: signal.Signals) -> None:
        for slot in self.slots:
            for number in numbers:
                if slot.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(slot.pid, number)

    def _reap_until(self, deadline: float) -> None:
        self._reap()
        while any(slot.pid for slot in self.slots) and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()), stdin=False)
            self._reap()

    def _tell(self, event: str, slot: Slot, **details: object) -> None:
        place = {
            "event": event,
            "pool": slot.pool,
            "host": self.around.host,
            "address": self.address,
            "port": slot.port,
        }
        line = json.dumps(place | details).encode() + b"\n"
        with suppress(BrokenPipeError):  # the reader is gone; the end of stdin follows
            if select.select([], [1], [], OUTPUT_WAIT_S)[1]:
                os.write(1, line)


def status_text(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit {os.waitstatus_to_exitcode(status)}"


def slots_parse(text: str) -> list[Slot]:
    """Parse POOL:PORT,…"""
    slots = []
    for part in text.split(","):
        pool, _, port = part.partition(":")
        if pool not in APPLICATIONS or not port.isdecimal() or not 0 < int(port) <= PORT_LIMIT:
            known = ", ".join(APPLICATIONS)
            raise ValueError(f"instance {part!r} is not POOL:PORT with a pool of {known}")
        slots.append(Slot(pool, int(port)))
    return slots


def respawn_parse(text: str) -> float | None:
    if text == "never":
        return None
    least, most = RESPAWN_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not least <= seconds <= most:
        raise ValueError(f"respawn {text!r} is neither never nor {least:g} to {most:g} seconds")
    return seconds


def host_from(arguments: Sequence[str] | None) -> DemoHost:
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo.host",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", required=True)
    parser.add_argument("--zone", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--instances", required=True, metavar="POOL:PORT,…")
    parser.add_argument("--recording-peers", default="", metavar="ADDRESS:PORT@ZONE,…")
    parser.add_argument("--store", type=Path, required=True, help="directory for recordings")
    parser.add_argument("--respawn", default="5", metavar="S|never")
    parser.add_argument("--build", default=BUILD)
    options = parser.parse_args(arguments)
    try:
        return DemoHost(
            around=Surroundings(
                host=options.name,
                zone=options.zone,
                store=options.store,
                recording_peers=peers_parse(options.recording_peers),
                build=options.build,
            ),
            address=options.address,
            slots=slots_parse(options.instances),
            respawn_s=respawn_parse(options.respawn),
        )
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    logging.basicConfig(stream=sys.stderr)
    die_with(os.getppid())
    host = host_from(None)
    # What exists now is shared by all children; the collector would write to it and unshare it.
    gc.collect()
    gc.freeze()
    host.run()


if __name__ == "__main__":
    main()
