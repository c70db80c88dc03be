"""The engine as its parent sees it: a real process, real servers, real signals."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Iterator

import pytest

from pool_manager.health.engine.wire import AllowNetworks, Look, Stop, Targets
from tests.health_engine.engine_rig import EngineProcess, engine, free_port, server, target


@pytest.fixture
def eng() -> Iterator[EngineProcess]:
    with engine() as made:
        yield made


def test_up_then_a_killed_process_is_down_at_once(eng: EngineProcess) -> None:
    found: list[float] = []
    for number in range(5):
        name = f"t{number}"
        with server() as at:
            eng.send(Targets(set=(target(at.port, name, interval_ms=1000),)))
            eng.until(lambda: eng.told("up", name) != [])  # noqa: B023 - called within the turn
            at.signal(signal.SIGKILL)
            killed_at = time.monotonic()
            eng.until(lambda: eng.told("down", name) != [])  # noqa: B023 - called within the turn
            seen_ms = (time.monotonic() - killed_at) * 1000
        down = eng.told("down", name)[0]
        assert (down.reason, down.count, down.of) == ("connection refused", 2, 2)
        assert eng.told("doubt", name)[0].count == 1
        found.append(seen_ms)
        eng.send(Targets(drop=(name,)))
    print(f"\nkill -9 to down: median {statistics.median(found):.1f} ms, worst {max(found):.1f} ms")  # noqa: T201 - the measurement
    assert max(found) < 1000


def test_a_hung_process_is_down_within_the_bound(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port, interval_ms=400, timeout_ms=100),)))
        eng.until(lambda: eng.told("up") != [])
        at.signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        eng.until(lambda: eng.told("down") != [])
        took_s = eng.told("down")[0].at - stopped_at
        assert took_s <= 0.4 + 2 * 0.1 + 0.3
        assert eng.told("down")[0].reason == "timeout after 100 ms waiting for headers"


def test_back_with_another_boot_id(eng: EngineProcess) -> None:
    port = free_port()
    with server(port, "b1"):
        eng.send(Targets(set=(target(port, fall=1),)))
        eng.until(lambda: eng.told("up") != [])
        assert eng.told("boot")[0].boot_id == "b1"
    eng.until(lambda: eng.told("down") != [])
    with server(port, "b2"):
        eng.until(lambda: len(eng.told("up")) == 2)
    assert [row.boot_id for row in eng.told("restarted")] == ["b2"]
    assert (eng.told("up")[1].count, eng.told("up")[1].of) == (2, 2)


def test_back_before_fall_is_told_by_the_boot_id(eng: EngineProcess) -> None:
    port = free_port()
    with server(port, "b1"):
        settings = target(port, fall=50, interval_ms=200, fast_ms=50, recheck_ms=50, boot_id="b1")
        eng.send(Targets(set=(settings,)))
        eng.until(lambda: eng.told("up") != [])
    with server(port, "b2"):
        eng.until(lambda: eng.told("cleared") != [])
    assert eng.told("boot") == []
    assert [row.boot_id for row in eng.told("restarted")] == ["b2"]
    assert eng.told("down") == []


def test_our_own_stall_harms_no_target(eng: EngineProcess) -> None:
    with server() as at:
        targets = tuple(target(at.port, f"t{number}") for number in range(50))
        eng.send(Targets(set=targets))
        eng.until(lambda: len(eng.told("up")) == 50)
        for _ in range(2):
            eng.process.send_signal(signal.SIGSTOP)
            time.sleep(1)  # the stall itself, not a wait for something
            eng.process.send_signal(signal.SIGCONT)
            eng.read_for(1.2)
        assert eng.told("down") == eng.told("doubt") == []
        assert {row.ok for row in eng.results} == {1}
        assert max(report.lag_ms for report in eng.reports) > 900
        assert eng.reports[-1].stalls >= 2


def test_nothing_is_left_after_drop(eng: EngineProcess) -> None:
    eng.read_for(0.1)
    before = eng.descriptors()
    with server() as at:
        many = [target(at.port, f"t{number}", interval_ms=100) for number in range(40)]
        many += [target(free_port(), f"r{number}", interval_ms=100) for number in range(5)]
        many += [target(at.port, f"c{number}", interval_ms=100, kind="tcp") for number in range(5)]
        eng.send(Targets(set=tuple(many)))
        eng.until(lambda: len(eng.told("up")) == 45)
        assert eng.descriptors() >= before + 40
        for _ in range(5):
            eng.send(Targets(set=tuple(many)), Look(tuple(t.id for t in many)))
            eng.send(Targets(drop=tuple(t.id for t in many[::2])))
        eng.send(Targets(drop=tuple(t.id for t in many)))
        eng.until(lambda: eng.descriptors() == before)
        eng.until(lambda: eng.reports[-1].targets == 0)


def test_one_descriptor_a_target(eng: EngineProcess) -> None:
    before = eng.descriptors()
    with server() as at:
        eng.send(Targets(set=tuple(target(at.port, f"t{n}", interval_ms=50) for n in range(20))))
        eng.until(lambda: len(eng.told("up")) == 20)
        for _ in range(10):
            eng.read_for(0.03)
            assert eng.descriptors() <= before + 20


def test_changed_settings_keep_the_verdict(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port),)))
        eng.until(lambda: eng.told("up") != [])
        eng.send(Targets(set=(target(at.port, interval_ms=100, params={"path": "/other"}),)))
        eng.send(Look(("t",)))
        seen = len(eng.results)
        eng.until(lambda: len(eng.results) >= seen + 2)
    assert len(eng.told("up")) == 1
    assert eng.told("boot")[0].boot_id == "b1"


def test_last_known_health_is_where_it_starts(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port, health="up", boot_id="b1"),)))
        eng.until(lambda: eng.results != [])
    assert eng.told("up") == eng.told("boot") == []


def test_look_probes_now(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port, interval_ms=60_000),)), Look(("t", "unknown")))
        eng.until(lambda: eng.told("up") != [], within_s=2)


def test_outside_the_allowed_is_not_judged(eng: EngineProcess) -> None:
    eng.send(AllowNetworks(("10.0.0.0/8",)), Targets(set=(target(80),)), Look(("t",)))
    eng.until(lambda: eng.results != [])
    assert eng.results[0].ok is None
    assert eng.results[0].reason == "address 127.0.0.1 is outside POOL_MANAGER_PROBE_ALLOW"
    assert eng.signals == []


def test_results_are_run_lengths_with_load(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port, interval_ms=50),)))
        eng.until(lambda: sum(row.times for row in eng.results) >= 20)
    assert len(eng.results) <= 6
    assert {(row.ok, row.reason, row.load) for row in eng.results} == {(1, "", 0.25)}
    counted = eng.reports[-1].probes["http"]
    assert counted["ok"] >= sum(row.times for row in eng.results)
    assert counted["fail"] == 0


def test_a_parent_that_does_not_read_stops_nothing(eng: EngineProcess) -> None:
    flips = {"path": "/flip"}  # 200 and 503 in turn: each probe is news
    with server() as at:
        targets = [
            target(at.port, f"t{n}", interval_ms=20, fast_ms=20, params=flips) for n in range(80)
        ]
        eng.send(Targets(set=tuple(targets)))
        eng.until(lambda: len(eng.told("up")) == 80)
        before = eng.reports[-1].probes["http"]["ok"]
        time.sleep(2.5)  # not reading is what is tested
        at.signal(signal.SIGKILL)
        killed_at = time.monotonic()
        time.sleep(0.5)
        eng.until(lambda: len(eng.told("down")) == 80)
        eng.until(lambda: eng.reports[-1].probes["http"]["ok"] > before + 2000)
    assert max(row.at for row in eng.told("down")) - killed_at < 0.5
    newest = {row.id: row.kind for row in eng.signals if row.kind in {"up", "down"}}
    assert set(newest.values()) == {"down"}


@pytest.mark.parametrize("how", ["close", "stop", "term", "nonsense"])
def test_it_ends_promptly(eng: EngineProcess, how: str) -> None:
    with server() as at:
        eng.send(Targets(set=(target(at.port),)))
        eng.until(lambda: eng.told("up") != [])
        match how:
            case "close":
                eng.sock.close()
            case "stop":
                eng.send(Stop())
            case "term":
                os.kill(eng.process.pid, signal.SIGTERM)
            case _:
                eng.sock.sendall(b"what\n")
        assert eng.process.wait(2) == (1 if how == "nonsense" else 0)


def test_probes_are_spread_over_the_interval(eng: EngineProcess) -> None:
    with server() as at:
        eng.send(Targets(set=tuple(target(at.port, f"t{n}", interval_ms=500) for n in range(60))))
        eng.until(lambda: len(eng.told("up")) == 60)
    at_s = sorted(row.at for row in eng.told("up"))
    assert at_s[-1] - at_s[0] > 0.3
    assert at_s[40] - at_s[20] > 0.05
