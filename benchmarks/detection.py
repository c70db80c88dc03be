"""From the signal to the operator's websocket: how long until a dead or hung process is known.

Real processes of the demo fleet under the real stack (interval 1 s, timeout 250 ms, fall 2), killed
or stopped at random phases. The peer checks the same instances at the same moments: HAProxy with the
same interval, timeout and fall and `fastinter 100`.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from benchmarks.claims import Claim, Outcome, quantile, spread
from benchmarks.haproxy_peer import Peer, haproxy
from tests.stack.running import Feed, Up, up_running
from tests.waiting import wait_until

FALL = 2
KILL_MEDIAN_MS = 150.0
KILL_P99_MS = 500.0
PEER = "HAProxy, fastinter 100 ms"
PEER_S = 2.4
STOP_MAX_MS = 1000.0 + FALL * 250.0 + 300.0


@dataclass(slots=True)
class Rig:
    """A settled demo fleet with a socket on it."""

    up: Up
    http: requests.Session
    feed: Feed
    peer: Peer | None
    chance: random.Random
    health: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def settle(self) -> None:
        """Until all is up; what the feed tells from here on keeps `health` true."""
        rows = self.up.settled(self.http)
        self.rows = {name: row for name, row in rows.items() if row["pool"] == "recording"}
        self.health = dict.fromkeys(self.rows, "up")

    def follow(self, *, until: float) -> list[tuple[float, dict[str, Any]]]:
        """Events with their moment of arrival, up to the moment `until`."""
        seen = []
        while (left := until - time.monotonic()) > 0:
            try:
                frame = self.feed.events(timeout=left)
            except TimeoutError:
                break
            now = time.monotonic()
            for event in frame["events"]:
                if event["kind"] in {"instance.up", "instance.down"}:
                    self.health[event["instance"]] = event["kind"].removeprefix("instance.")
                seen.append((now, event))
        return seen

    def until_down(self, name: str, *, seconds: float) -> float:
        """The moment the socket says that it is down."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for now, event in self.follow(until=min(until, time.monotonic() + 0.005)):
                if event["kind"] == "instance.down" and event["instance"] == name:
                    return now
        raise AssertionError(f"{name} was not called down within {seconds} s")

    def victim(self) -> dict[str, Any]:
        """A random instance of the pool that is up, at a random moment of its interval."""
        self.follow(until=time.monotonic() + self.chance.uniform(0.3, 0.7))
        while not (names := [n for n in self.rows if self.health[n] == "up"]):
            self.follow(until=time.monotonic() + 0.2)
        return self.rows[self.chance.choice(names)]

    def pid(self, row: dict[str, Any]) -> int:
        """Its process id, once the registry knows the newest one."""

        def look() -> int | None:
            body = self.http.get(f"{self.up.url}/fleet.json?pool=recording", timeout=10).json()
            rows = [dict(zip(body["fields"], one, strict=True)) for one in body["instances"]]
            pid = next(one["pid"] for one in rows if one["name"] == row["name"])
            return pid if pid and Path(f"/proc/{pid}").exists() else None

        return wait_until(look, seconds=10, what="its process id is known", every=0.1)


def run(*, quick: bool) -> Outcome:
    outcome = Outcome()
    kills, stops = (30, 8) if quick else (200, 30)
    with (
        tempfile.TemporaryDirectory(prefix="pm-bench-") as directory,
        up_running(Path(directory) / "d", "--demo", "--demo-respawn", "2") as up,
    ):
        http = up.login()
        feed = Feed(up, http)
        rig = Rig(up, http, feed, None, random.Random(41))  # noqa: S311  # a seed, not a secret
        rig.settle()
        servers = [(_plain(name), row["address"], row["port"]) for name, row in rig.rows.items()]
        with haproxy(Path(directory), servers, fall=FALL) as peer:
            rig.peer = peer
            feed.open(after=None)
            _kills(rig, kills, outcome)
            _stops(rig, stops, outcome)
        feed.close()
    if peer is None:
        outcome.not_run.append("HAProxy beside it: haproxy is not installed")
    return outcome


def _plain(name: str) -> str:
    return name.replace("@", "-").replace(":", "-")


@dataclass(slots=True)
class Times:
    """Of one kind of fault: ours in ms, and when each fault was, for the peer's sake."""

    ours: list[float] = field(default_factory=list)
    faults: list[tuple[str, float]] = field(default_factory=list)

    def theirs(self, peer: Peer | None) -> list[float]:
        """The peer's times of the same faults; it misses what is back before it looked."""
        if peer is None:
            return []
        found = (peer.down_after(_plain(name), at, within=PEER_S) for name, at in self.faults)
        return [1000 * seconds for seconds in found if seconds is not None]


def _fault(rig: Rig, number: int, times: Times) -> int:
    """One signal to a random victim at a random moment, until the socket says down."""
    row = rig.victim()
    pid = rig.pid(row)
    began = time.monotonic()
    os.kill(pid, number)
    times.faults.append((row["name"], began))
    times.ours.append(1000 * (rig.until_down(row["name"], seconds=10) - began))
    return pid


def _kills(rig: Rig, count: int, outcome: Outcome) -> None:
    times = Times()
    for _ in range(count):
        _fault(rig, signal.SIGKILL, times)
    rig.follow(until=time.monotonic() + PEER_S)
    ours, theirs = times.ours, times.theirs(rig.peer)
    peer_median = statistics.median(theirs) if theirs else None
    peer_p99 = quantile(theirs, 0.99) if theirs else None
    outcome.claims += [
        Claim(
            "kill -9 → instance.down on the socket, median",
            statistics.median(ours), KILL_MEDIAN_MS, "ms", count, PEER, peer_median,
        ),
        Claim(
            "kill -9 → instance.down on the socket, p99",
            quantile(ours, 0.99), KILL_P99_MS, "ms", count, PEER, peer_p99,
        ),
    ]  # fmt: skip
    outcome.shown.append(f"kill -9, ours:    {spread(ours, 'ms')}")
    if theirs:
        missed = count - len(theirs)
        outcome.shown.append(f"kill -9, HAProxy: {spread(theirs, 'ms')}; not noticed: {missed}")


def _stops(rig: Rig, count: int, outcome: Outcome) -> None:
    times = Times()
    for _ in range(count):
        pid = _fault(rig, signal.SIGSTOP, times)
        rig.follow(until=time.monotonic() + 1.0)  # the peer may need longer
        os.kill(pid, signal.SIGCONT)
    ours, theirs = times.ours, times.theirs(rig.peer)
    outcome.claims.append(
        Claim(
            "SIGSTOP → instance.down on the socket, worst",
            max(ours), STOP_MAX_MS, "ms", count, PEER, max(theirs, default=None),
        )
    )  # fmt: skip
    outcome.shown.append(f"SIGSTOP, ours:    {spread(ours, 'ms')}")
    if theirs:
        missed = count - len(theirs)
        outcome.shown.append(f"SIGSTOP, HAProxy: {spread(theirs, 'ms')}; not noticed: {missed}")
