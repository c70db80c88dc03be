"""A process dies, hangs or comes back, and the operator's socket says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stack.running import Feed, Story, Up

pytestmark = pytest.mark.stack

FALL = RISE = 2  # as the demo sets its pools
REASONS = {
    signal.SIGKILL: ("connection refused", "connection reset"),
    signal.SIGSTOP: ("timeout after 250 ms",),
}


def one_of(rows: dict[str, dict[str, Any]], pool: str, host: str) -> dict[str, Any]:
    """An instance of the pool on the host."""
    return next(row for row in rows.values() if row["pool"] == pool and row["host"] == host)


def pid_of(up: Up, port: int, address: str) -> int:
    """Who listens there, from the kernel: what the product says is not believed here."""
    inode = listening_inode(address, port)
    for pid in up.processes():
        try:
            links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if f"socket:[{inode}]" in links:
            return pid
    raise AssertionError(f"nobody listens on {address}:{port}")


def listening_inode(address: str, port: int) -> str:
    octets = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    for line in Path("/proc/net/tcp").read_text().splitlines():
        fields = line.split()
        if fields[1] == f"{octets}:{port:04X}" and fields[3] == "0A":
            return fields[9]
    raise AssertionError(f"nothing listens on {address}:{port}")


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for event in events]


def test_a_killed_instance_is_down_on_the_socket_soon_and_up_again_after_rise_good_probes(
    demo: Up, http: requests.Session, feed: Feed
) -> None:
    row = one_of(demo.settled(http), "recording", "b1")
    feed.open(after=None)
    story = Story(feed)
    began = time.monotonic()
    os.kill(pid_of(demo, row["port"], row["address"]), signal.SIGKILL)
    story.event("instance.down", row["name"], seconds=5)
    took = time.monotonic() - began
    assert took < 2.0, took  # the benchmark measures; this finds what is broken
    up = story.event("instance.up", row["name"], seconds=10)
    told = story.of(row["name"])
    assert kinds(told) == ["probe.failed", "instance.down", "instance.restarted", "instance.up"]
    assert (up["data"]["count"], up["data"]["was"]) == (RISE, "down")


def test_a_stopped_instance_is_down_within_interval_and_two_timeouts(
    demo: Up, http: requests.Session, feed: Feed
) -> None:
    row = one_of(demo.settled(http), "recording", "c2")
    pid = pid_of(demo, row["port"], row["address"])
    feed.open(after=None)
    story = Story(feed)
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        story.event("instance.down", row["name"], seconds=10)
        took = time.monotonic() - began
        assert took < 1.0 + 2 * 0.25 + 0.3 + 1.0, took  # one second of grace for a busy machine
    finally:
        os.kill(pid, signal.SIGCONT)
    up = story.event("instance.up", row["name"], seconds=10)
    assert up["data"]["count"] == RISE
    assert kinds(story.of(row["name"])) == ["probe.failed", "instance.down", "instance.up"]


@pytest.mark.parametrize("number", REASONS, ids=lambda number: number.name)
def test_the_down_event_names_its_reason_and_its_cause(
    demo: Up, http: requests.Session, feed: Feed, number: signal.Signals
) -> None:
    row = one_of(demo.settled(http), "voice", "a2")
    pid = pid_of(demo, row["port"], row["address"])
    hello = feed.open(after=None, pools=["voice"], kinds=["instance.", "probe."])
    story = Story(feed)
    os.kill(pid, number)
    try:
        down = story.event("instance.down", row["name"], seconds=10)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    failed = story.event("probe.failed", row["name"], seconds=0)
    assert {event["pool"] for event in story.events} == {"voice"}
    assert hello["seq"] < failed["seq"] < down["seq"]
    assert down["cause"] == failed["seq"]
    assert (failed["data"]["count"], failed["data"]["of"]) == (1, FALL)
    assert (down["data"]["count"], down["data"]["was"]) == (FALL, "up")
    assert (down["host"], down["zone"]) == ("a2", "zone-a")
    assert down["data"]["reason"].startswith(REASONS[number])


def test_a_zone_filter_of_another_pool_gets_empty_frames_that_keep_its_place(
    demo: Up, http: requests.Session, feed: Feed
) -> None:
    row = one_of(demo.settled(http), "sms", "a1")
    place = feed.open(after=None, pools=["no-such-pool"])["seq"]
    os.kill(pid_of(demo, row["port"], row["address"]), signal.SIGKILL)
    frame = feed.events(timeout=8)
    assert frame["events"] == []
    assert frame["from"] == place + 1
    assert frame["to"] > place
