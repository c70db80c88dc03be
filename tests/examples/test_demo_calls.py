from __future__ import annotations

import base64
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from examples.calls import Caller, CallLimits
from examples.demo.load import voice_note
from examples.peers import Peer
from examples.voice import trunk_choose
from tests.examples.example_processes import ADDRESS, free_ports, running, running_host, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.examples.example_processes import RunningHost

NOTE = voice_note(0.2, 440)
MESSAGE = {"to": "+493012345", "recording": base64.b64encode(NOTE).decode()}


def post(port: int, path: str, content: object, key: str = "k") -> requests.Response:
    return requests.post(
        f"http://{ADDRESS}:{port}{path}",
        data=json.dumps(content),
        headers={"Idempotency-Key": key},
        timeout=5,
    )


class Fleet:
    """One host with a recording, an sms and a voice instance; sms knows a dead peer as well."""

    def __init__(self, host: RunningHost, ports: list[int]) -> None:
        self.host = host
        self.recording, self.sms, self.voice, self.dead = ports
        started = [host.event("started") for _ in range(3)]
        self.pids = {event["pool"]: int(event["pid"]) for event in started}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    ports = free_ports(4)
    recording, sms, voice, dead = ports
    instances = f"recording:{recording},sms:{sms},voice:{voice}"
    peers = f"{ADDRESS}:{dead}@zone-a,{ADDRESS}:{recording}@zone-b"
    with running_host(tmp_path, instances, respawn="never", peers=peers) as host:
        yield Fleet(host, ports)


def test_a_message_goes_to_another_zone_when_home_is_dead(fleet: Fleet, tmp_path: Path) -> None:
    answers = [post(fleet.sms, "/messages", MESSAGE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (answer.json() for answer in answers)
    assert (first["to"], first["tries"]) == ("+493012345", 2)
    assert first["via"] == f"{ADDRESS}:{fleet.recording}"
    assert first["id"] == second["id"] == first["recording"]["key"]
    assert first["recording"] == second["recording"]
    assert len(list(tmp_path.glob("objects/*/*"))) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_message_without_a_recording_instance_is_refused(
    fleet: Fleet, number: signal.Signals
) -> None:
    os.kill(fleet.pids["recording"], number)
    answer = post(fleet.sms, "/messages", MESSAGE)
    assert answer.status_code == 503
    assert answer.json()["tries"] == 2
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param([], "not an object", id="list"),
        pytest.param({"recording": ""}, "not a number", id="nobody"),
        pytest.param(MESSAGE | {"to": "me"}, "not a number", id="no number"),
        pytest.param({"to": "+493012345"}, "recording is missing", id="no recording"),
        pytest.param(MESSAGE | {"recording": "?"}, "not base64", id="no base64"),
        pytest.param(MESSAGE | {"recording": "aGk="}, "not a PCM WAV", id="no WAV"),
    ],
)
def test_a_bad_message_is_refused_in_words(fleet: Fleet, content: Any, said: str) -> None:
    answer = post(fleet.sms, "/messages", content)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_calls_are_set_up(fleet: Fleet) -> None:
    content = {"from": "+493098765", "to": "+493012345"}
    first, second = (post(fleet.voice, "/calls", content).json() for _ in range(2))
    assert first == second
    assert first["trunk"] == trunk_choose("+493012345")
    assert post(fleet.voice, "/calls", content, key="other").json()["id"] != first["id"]
    assert post(fleet.voice, "/calls", {"from": "x", "to": "y"}).status_code == 400
    assert post(fleet.voice, "/messages", {}).status_code == 404


def test_nobody_to_call_is_an_outcome() -> None:
    limits = CallLimits(connect_s=0.25, read_s=0.25, deadline_s=1, tries=3)
    caller = Caller(limits, connections=1)
    dead = [Peer(ADDRESS, port, "zone-a") for port in free_ports(5)]
    assert caller.post([], "/", b"", key="k").tries == 0
    result = caller.post(dead, "/", b"", key="k")
    assert (result.status, result.tries, result.ok) == (0, 3, False)
    assert "ConnectionError" in result.error
    caller.close()


def test_no_try_is_begun_after_the_deadline() -> None:
    moments = iter([0.0, 0.1, 0.99])
    limits = CallLimits(connect_s=0.25, read_s=0.25, deadline_s=1, tries=3)
    caller = Caller(limits, connections=1, monotonic=lambda: next(moments))
    dead = [Peer(ADDRESS, port, "zone-a") for port in free_ports(3)]
    assert caller.post(dead, "/", b"", key="k").tries == 1
    caller.close()


@pytest.mark.parametrize("how", ["end of stdin", "SIGTERM"])
def test_the_load_calls_every_pool_and_says_so(fleet: Fleet, tmp_path: Path, how: str) -> None:
    targets = (
        f"sms={ADDRESS}:{fleet.sms}@zone-a,voice={ADDRESS}:{fleet.voice}@zone-a,"
        f"recording={ADDRESS}:{fleet.dead}@zone-a,recording={ADDRESS}:{fleet.recording}@zone-b"
    )
    words = ("-m", "examples.demo.load", "--targets", targets, "--rate", "100", "--seed", "1")
    with running(*words) as load:
        wait_until(lambda: len(list(tmp_path.glob("keys/*"))) > 20, "recordings made")
        if how == "SIGTERM":
            load.process.terminate()
        else:
            assert load.process.stdin is not None
            load.process.stdin.close()
        counts = json.loads(load.line())
        assert load.process.wait(timeout=5) == 0
    assert counts["event"] == "load"
    assert counts["calls"] == counts["ok"] > 20
    assert counts["retried"] > 0
    assert counts["failed"] == 0
