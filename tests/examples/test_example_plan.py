from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.demo.host import respawn_parse, slots_parse, status_text
from examples.demo.load import targets_parse
from examples.demo.plan import can_bind, host_arguments, load_arguments, plan
from examples.peers import Peer, peer_parse, peers_order, peers_parse
from examples.service import LoadGauge

ZONES = ("zone-a", "zone-b", "zone-c")
PEERS = [Peer("127.0.0.1", port, zone) for zone in ZONES for port in (1, 2, 3, 4)]


@pytest.mark.parametrize("shared", [False, True])
def test_six_hosts_carry_two_of_each_pool(*, shared: bool) -> None:
    fleet = plan(shared_loopback=shared)
    assert [host.name for host in fleet.hosts] == ["a1", "a2", "b1", "b2", "c1", "c2"]
    assert Counter(host.zone for host in fleet.hosts) == dict.fromkeys(fleet.zones, 2)
    for host in fleet.hosts:
        pools = Counter(instance.pool for instance in host.instances)
        assert pools == {pool.slug: 2 for pool in fleet.pools}
        assert host.storage == "ephemeral"


@pytest.mark.parametrize("shared", [False, True])
def test_no_two_instances_share_an_endpoint(*, shared: bool) -> None:
    fleet = plan(shared_loopback=shared)
    endpoints = [(host.address, i.port) for host in fleet.hosts for i in host.instances]
    assert len(set(endpoints)) == len(endpoints) == 36
    assert {address for address, _ in endpoints} == (
        {"127.0.0.1"}
        if shared
        else {"127.1.0.1", "127.1.0.2", "127.2.0.1", "127.2.0.2", "127.3.0.1", "127.3.0.2"}
    )


def test_hosts_on_one_address_have_ranges_of_their_own() -> None:
    ranges = [[i.port for i in host.instances] for host in plan(shared_loopback=True).hosts]
    assert [ports[0] for ports in ranges[:2]] == [9001, 9301]
    assert all(max(a) < min(b) for a, b in pairwise(ranges))


def test_sms_depends_on_recording() -> None:
    dependencies = {p.slug: [(d.pool, d.tolerance_ms) for d in p.depends_on] for p in plan().pools}
    assert dependencies == {"recording": [], "sms": [("recording", 500)], "voice": []}


def test_the_commands_say_what_the_plan_says() -> None:
    fleet = plan()
    host = fleet.hosts[0]
    words = host_arguments(fleet, host, store=Path("/a b"), respawn_s=None)
    given_options = dict(zip(words[2::2], words[3::2], strict=True))
    slots = slots_parse(given_options["--instances"])
    assert [(s.pool, s.port) for s in slots] == [(i.pool, i.port) for i in host.instances]
    assert peers_parse(given_options["--recording-peers"]) == fleet.peers("recording")
    assert (given_options["--respawn"], given_options["--store"]) == ("never", "/a b")
    targets = targets_parse(load_arguments(fleet, rate=6)[3])
    assert {pool: tuple(peers) for pool, peers in targets.items()} == {
        pool: fleet.peers(pool) for pool in ("recording", "sms", "voice")
    }


def test_what_is_not_this_machine_cannot_be_bound() -> None:
    assert can_bind("127.0.0.1")
    assert not can_bind("192.0.2.1")


@pytest.mark.parametrize("text", ["", "a:1", "a:0@z", "a:70000@z", "a:x@z", "a:1@", "a:1@z@z"])
def test_a_peer_is_address_port_and_zone(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not ADDRESS:PORT@ZONE"):
        peer_parse(text)


@pytest.mark.parametrize("text", ["", "video:1", "sms", "sms:x", "sms:0", "sms:65536"])
def test_an_instance_is_a_known_pool_and_a_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not POOL:PORT"):
        slots_parse(text)


@pytest.mark.parametrize("text", ["", "sms", "video=a:1@z", "sms=a:1"])
def test_a_target_is_a_known_pool_and_a_peer(text: str) -> None:
    with pytest.raises(ValueError, match=r"ADDRESS:PORT@ZONE"):
        targets_parse(text)


@pytest.mark.parametrize("text", ["no", "0", "-1", "nan", "inf", "3601"])
def test_respawn_is_never_or_seconds_within_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="neither never nor"):
        respawn_parse(text)


@pytest.mark.parametrize(
    ("status", "said"),
    [(9, "killed by SIGKILL"), (15, "killed by SIGTERM"), (0, "exit 0"), (256, "exit 1")],
)
def test_a_wait_status_in_words(status: int, said: str) -> None:
    assert status_text(status) == said


@given(st.integers(0, 1000), st.sampled_from(["", *ZONES]))
def test_every_peer_is_tried_once_and_zones_alternate(turn: int, zone: str) -> None:
    order = peers_order(PEERS, zone=zone, turn=turn)
    assert sorted(map(str, order)) == sorted(map(str, PEERS))
    assert len({peer.zone for peer in order[:3]}) == 3
    assert not zone or order[0].zone == zone


@pytest.mark.parametrize("zone", ["", "zone-a"])
def test_turns_spread_calls_evenly(zone: str) -> None:
    firsts = Counter(peers_order(PEERS, zone=zone, turn=turn)[0] for turn in range(12))
    assert set(firsts.values()) == ({1} if not zone else {3})


def test_there_may_be_no_peer() -> None:
    assert peers_order([], zone="zone-a", turn=3) == []


def test_load_rises_with_work_and_fades_after_it() -> None:
    gauge = LoadGauge(capacity=4, tau_s=5, now=0)
    gauge.change(2, now=0)
    assert gauge.read(now=0) == 0
    assert gauge.read(now=100) == pytest.approx(0.5)
    gauge.change(-2, now=100)
    assert gauge.read(now=105) == pytest.approx(0.5 / 2.71828, rel=1e-3)
    assert gauge.read(now=200) == pytest.approx(0, abs=1e-6)
