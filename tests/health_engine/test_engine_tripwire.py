"""The kept connection between probes: what a close means, and that it never makes a storm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from pool_manager.health.engine.outbox import Outbox
from pool_manager.health.engine.watcher import Watcher
from pool_manager.health.engine.wire import ResultRow, SignalRow, Target
from tests.health_engine.engine_rig import (
    LOOPBACK,
    Site,
    answer,
    hangs,
    ok,
    says,
    says_and_closes,
    site,
    target,
)

KEPT = b"Connection: keep-alive"


class Host:
    """A watcher turned by the test's own loop."""

    def __init__(self) -> None:
        self.signals: list[SignalRow] = []
        self.results: list[ResultRow] = []
        self.watcher = Watcher(clock=time.monotonic, outbox=Outbox())
        self.watcher.allow(LOOPBACK)

    async def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at and not until():
            self.watcher.turn()
            report = self.watcher.report()
            self.signals.extend(report.signals)
            self.results.extend(report.results)
            await asyncio.sleep(0.001)

    async def until(self, true: Callable[[], bool], within_s: float = 5.0) -> None:
        await self.run(within_s, true)
        assert true(), self.signals

    def watch(self, *targets: Target) -> None:
        self.watcher.targets_set(targets)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.signals]

    def probes(self) -> int:
        return sum(row.times for row in self.results)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made = Host()
    yield made
    made.watcher.close()


async def test_one_connection_serves_many_probes(host: Host) -> None:
    async with site(says(ok())) as at:
        host.watch(target(at.port, interval_ms=30))
        await host.until(lambda: host.probes() >= 10)
        assert at.connections == 1


async def test_a_close_between_probes_is_looked_into_at_once(host: Host) -> None:
    async with site(says(ok())) as at:
        host.watch(target(at.port, interval_ms=30_000))
        host.watcher.look(["t"])
        await host.until(lambda: host.kinds() == ["up"])
        await host.run(0.1)  # outlast "right after the answer"
        await at.stop()
        closed_at = time.monotonic()
        await host.until(lambda: host.kinds() == ["up", "doubt", "down"])
        assert host.signals[-1].at - closed_at < 0.5


@pytest.mark.parametrize("header", [b"Connection: close", KEPT])
async def test_a_server_that_closes_after_each_answer(host: Host, header: bytes) -> None:
    async with site(says_and_closes(ok(b"", header))) as at:
        host.watch(target(at.port, interval_ms=60))
        await host.until(lambda: host.probes() >= 15)
        assert host.kinds() == ["up", "tripwire_off"]
        assert at.connections <= host.probes() + 1
        began, probes = time.monotonic(), host.probes()
        await host.run(0.6)
        assert host.probes() - probes <= (time.monotonic() - began) / 0.06 + 2


async def test_an_idle_timeout_makes_neither_failures_nor_a_storm(host: Host) -> None:
    async with site(says_and_closes(ok(b"", KEPT), after_s=0.08)) as at:
        host.watch(target(at.port, interval_ms=300))
        await host.until(lambda: host.kinds() == ["up"])
        began, probes = time.monotonic(), host.probes()
        await host.run(2.0)
        intervals = (time.monotonic() - began) / 0.3
        assert host.probes() - probes <= 2 * intervals + 2
        assert host.kinds() == ["up"]
        assert {row.ok for row in host.results} == {1}


async def test_a_server_that_fails_and_closes_makes_no_storm(host: Host) -> None:
    async with site(says_and_closes(answer(b"503 Busy", b"", KEPT), after_s=0.06)) as at:
        host.watch(target(at.port, interval_ms=300))
        await host.until(lambda: host.kinds() == ["down"])
        began, probes = time.monotonic(), host.probes()
        await host.run(1.5)
        assert host.probes() - probes <= 2 * (time.monotonic() - began) / 0.3 + 2


async def test_a_close_as_we_send_is_a_race_tried_once_more(host: Host) -> None:
    async def closes_on_the_second_request(
        at: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await at.request(reader)
        writer.write(ok(b"", KEPT))
        await at.request(reader)

    async with site(closes_on_the_second_request) as at:
        host.watch(target(at.port, interval_ms=60))
        await host.until(lambda: host.probes() >= 8)
        assert host.kinds() == ["up"]
        assert at.connections == host.probes()


async def test_a_fresh_connection_gets_no_second_try(host: Host) -> None:
    async with site(says_and_closes()) as at:
        host.watch(target(at.port, interval_ms=30_000, fall=3))
        host.watcher.look(["t"])
        await host.until(lambda: host.kinds() == ["down"])
        assert at.connections == 3
        assert {row.reason for row in host.results} == {"connection closed before the answer"}


async def test_drop_in_the_middle_of_a_probe(host: Host) -> None:
    async with site(hangs) as at:
        host.watch(target(at.port))
        host.watcher.look(["t"])
        await host.until(lambda: at.requests == 1)
        host.watcher.targets_drop(["t"])
        await host.run(0.5)
        assert (host.signals, host.results) == ([], [])


async def test_a_tcp_probe_keeps_no_connection_and_says_nothing_about_it(host: Host) -> None:
    async with site(hangs) as at:
        host.watch(target(at.port, kind="tcp", interval_ms=30))
        await host.until(lambda: host.probes() >= 10)
        assert host.kinds() == ["up"]


async def test_settings_at_fault_are_shown_not_probed(host: Host) -> None:
    host.watch(target(80, params={"path": "x"}), target(80, "k", kind="icmp"))
    await host.until(lambda: len(host.results) == 2)
    assert {row.ok for row in host.results} == {None}


async def test_what_is_no_longer_allowed_is_let_go_unjudged(host: Host) -> None:
    async with site(says(ok())) as at:
        host.watch(target(at.port, interval_ms=60))
        await host.until(lambda: host.probes() >= 3)
        host.watcher.allow(["10.0.0.0/8"])
        probes = at.requests
        await host.until(lambda: host.results[-1].ok is None)
        assert (at.requests, host.kinds()) == (probes, ["up"])
