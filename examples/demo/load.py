"""Modest load on the demo fleet: messages with voice notes, recordings and calls.

One JSON line every 10 s counts what happened since the line before. Ends with stdin or SIGTERM.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import os
import random
import secrets
import select
import signal
import threading
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examples.calls import Caller, CallLimits
from examples.peers import peer_parse, peers_order
from examples.recording.wav import Clip, clip_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from examples.calls import CallResult
    from examples.peers import Peer

THREADS = 4
WAITING_LIMIT = 8  # calls begun and not ended; beyond it the load lets a turn go by
SUMMARY_S = 10.0
RATE_HZ = 8_000
NOTES = ((0.2, 440), (0.4, 330), (0.6, 550), (0.8, 392), (1.0, 262))  # seconds, Hz
RATES = (0.1, 200.0)
# A message waits for its recording: it may take as long as all tries of the sms service.
LIMITS = CallLimits(connect_s=0.25, read_s=1.5, deadline_s=4.0, tries=3)
PATHS = {"sms": "/messages", "voice": "/calls", "recording": "/process"}
MIX = {"sms": 3, "voice": 1, "recording": 2}


@dataclass(slots=True)
class Counts:
    calls: int = 0
    ok: int = 0
    retried: int = 0
    failed: int = 0


@dataclass(slots=True)
class Ledger:
    """Counts since the last summary, written by the calling threads under one lock."""

    _counts: Counts = field(default_factory=Counts)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: CallResult) -> None:
        with self._lock:
            self._counts.calls += 1
            self._counts.ok += result.ok
            self._counts.failed += not result.ok
            self._counts.retried += result.tries > 1

    def take(self) -> Counts:
        with self._lock:
            counts, self._counts = self._counts, Counts()
        return counts


def voice_note(seconds: float, hz: float) -> bytes:
    """Make a tone between two silences, each an eighth of the whole."""
    frames = round(seconds * RATE_HZ)
    silent = frames // 8
    tone = (
        round(6_000 * math.sin(2 * math.pi * hz * frame / RATE_HZ))
        for frame in range(frames - 2 * silent)
    )
    edge = array("h", bytes(2 * silent))
    return clip_write(Clip(RATE_HZ, 1, edge + array("h", tone) + edge))


def bodies_make(pool: str) -> list[bytes]:
    notes = [voice_note(seconds, hz) for seconds, hz in NOTES]
    if pool == "recording":
        return notes
    if pool == "sms":
        return [
            json.dumps(
                {"to": f"+49301234{n}", "recording": base64.b64encode(note).decode()}
            ).encode()
            for n, note in enumerate(notes)
        ]
    return [json.dumps({"from": "+493098765", "to": f"+49301234{n}"}).encode() for n in range(9)]


class Load:
    def __init__(self, targets: Mapping[str, Sequence[Peer]], *, chance: random.Random) -> None:
        self.ledger = Ledger()
        self._targets = targets
        self._chance = chance
        self._bodies = {pool: bodies_make(pool) for pool in targets}
        self._caller = Caller(LIMITS, connections=THREADS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="load")
        self._free = threading.BoundedSemaphore(WAITING_LIMIT)
        self._turn = 0

    def call_one(self) -> None:
        if not self._free.acquire(blocking=False):
            return
        pools = list(self._targets)
        pool = self._chance.choices(pools, weights=[MIX[name] for name in pools])[0]
        body = self._chance.choice(self._bodies[pool])
        route = peers_order(self._targets[pool], turn=self._turn)
        self._turn += 1
        self._threads.submit(self._call, pool, route, body)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, pool: str, route: Sequence[Peer], body: bytes) -> None:
        try:
            key = secrets.token_hex(12)
            self.ledger.add(self._caller.post(route, PATHS[pool], body, key=key))
        finally:
            self._free.release()


def targets_parse(text: str) -> dict[str, list[Peer]]:
    """Parse POOL=ADDRESS:PORT@ZONE,…; a pool is named once for each of its peers."""
    targets: dict[str, list[Peer]] = {}
    for part in text.split(","):
        pool, _, peer = part.partition("=")
        if pool not in PATHS:
            known = ", ".join(PATHS)
            raise ValueError(
                f"target {part!r} is not POOL=ADDRESS:PORT@ZONE with a pool of {known}"
            )
        targets.setdefault(pool, []).append(peer_parse(peer))
    return targets


def run(load: Load, *, rate: float, chance: random.Random, stop: int) -> None:
    """Call at random moments (a Poisson process) until stdin ends or `stop` is readable."""
    now = time.monotonic()
    next_call, next_summary = now, now + SUMMARY_S
    while True:
        until = max(0.0, min(next_call, next_summary) - time.monotonic())
        ready, _, _ = select.select([0, stop], [], [], until)
        if stop in ready or (0 in ready and not os.read(0, 4096)):
            return
        now = time.monotonic()
        if now >= next_summary:
            summary_tell(load.ledger.take())
            next_summary = now + SUMMARY_S
        if now >= next_call:
            load.call_one()
            # Late turns (the machine slept) are let go, not made up for.
            next_call = max(now - 1.0, next_call) + chance.expovariate(rate)


def summary_tell(counts: Counts) -> None:
    summary = {
        "event": "load",
        "calls": counts.calls,
        "ok": counts.ok,
        "retried": counts.retried,
        "failed": counts.failed,
    }
    with suppress(BrokenPipeError):  # the reader is gone; the end of stdin follows
        if select.select([], [1], [], 1.0)[1]:
            os.write(1, json.dumps(summary).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.demo.load", description=__doc__)
    parser.add_argument("--targets", required=True, metavar="POOL=ADDRESS:PORT@ZONE,…")
    parser.add_argument("--rate", type=float, default=6.0, help="calls a second, all together")
    parser.add_argument("--seed", type=int, help="makes the sequence of calls repeatable")
    options = parser.parse_args()
    least, most = RATES
    if not least <= options.rate <= most:
        parser.error(f"--rate {options.rate:g} is not within {least:g} to {most:g} calls a second")
    chance = random.Random(options.seed)  # noqa: S311 - spreads calls, guards nothing
    try:
        load = Load(targets_parse(options.targets), chance=chance)
    except ValueError as error:
        parser.error(str(error))
    stop, stop_write = os.pipe()
    os.set_blocking(stop_write, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(stop_write, warn_on_full_buffer=False)
    run(load, rate=options.rate, chance=chance, stop=stop)
    load.close()
    summary_tell(load.ledger.take())
    os._exit(0)  # calls under way are not waited for


if __name__ == "__main__":
    main()
