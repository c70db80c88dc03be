from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from examples.demo.load import voice_note
from examples.service import listener_open
from tests.examples.example_processes import (
    ADDRESS,
    CHECKOUT,
    free_ports,
    health,
    is_gone,
    running_host,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.examples.example_processes import RunningHost


def refuses(port: int) -> bool:
    with socket.socket() as wire:
        wire.settimeout(2)
        return wire.connect_ex((ADDRESS, port)) != 0


def started_all(host: RunningHost, count: int) -> list[int]:
    return [int(host.event("started")["pid"]) for _ in range(count)]


def fleet_of(count: int) -> tuple[str, list[int]]:
    ports = free_ports(count)
    pools = ["recording", "sms", "voice"] * count
    return ",".join(f"{pools[n]}:{port}" for n, port in enumerate(ports)), ports


def test_every_instance_is_started_and_told(tmp_path: Path) -> None:
    instances, ports = fleet_of(3)
    with running_host(tmp_path / "a store", instances) as host:
        for pool, port in zip(("recording", "sms", "voice"), ports, strict=True):
            event = host.event("started")
            said = health(port)
            assert event == {
                "event": "started",
                "pool": pool,
                "host": "a1",
                "address": ADDRESS,
                "port": port,
                "pid": event["pid"],
                "boot_id": said["boot_id"],
                "build": said["build"],
            }
            assert (said["pool"], said["status"]) == (pool, "ok")


def test_a_killed_instance_is_refused_at_once_and_started_again(tmp_path: Path) -> None:
    instances, ports = fleet_of(1)
    with running_host(tmp_path, instances, respawn="0.5") as host:
        first = host.event("started")
        os.kill(first["pid"], signal.SIGKILL)
        exited = host.event("exited")
        assert refuses(ports[0])
        assert exited["pid"] == first["pid"]
        assert (exited["status"], exited["respawn_in_s"]) == ("killed by SIGKILL", 0.5)
        second = host.event("started")
        assert second["pid"] != first["pid"]
        assert second["boot_id"] != first["boot_id"]
        assert health(ports[0])["boot_id"] == second["boot_id"]


def test_a_drained_instance_ends_with_exit_0(tmp_path: Path) -> None:
    instances, _ = fleet_of(1)
    with running_host(tmp_path, instances, respawn="never") as host:
        os.kill(host.event("started")["pid"], signal.SIGTERM)
        exited = host.event("exited")
        assert (exited["status"], exited["respawn_in_s"]) == ("exit 0", None)


def test_never_means_never(tmp_path: Path) -> None:
    instances, ports = fleet_of(1)
    with running_host(tmp_path, instances, respawn="never") as host:
        os.kill(host.event("started")["pid"], signal.SIGKILL)
        assert host.event("exited")["respawn_in_s"] is None
        assert refuses(ports[0])
        assert host.process.poll() is None


def test_a_stopped_instance_is_left_alone(tmp_path: Path) -> None:
    instances, ports = fleet_of(2)
    with running_host(tmp_path, instances, respawn="0.1") as host:
        stopped, sibling = started_all(host, 2)
        before = health(ports[0])["boot_id"]
        os.kill(stopped, signal.SIGSTOP)
        os.kill(sibling, signal.SIGKILL)
        # The host went through its whole round and still has nothing to say about the stopped one.
        assert host.event("exited")["pid"] == sibling
        assert host.event("started")["port"] == ports[1]
        os.kill(stopped, signal.SIGCONT)
        assert health(ports[0])["boot_id"] == before


def close_stdin(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda process: process.terminate(), id="SIGTERM"),
        pytest.param(lambda process: process.send_signal(signal.SIGINT), id="SIGINT"),
        pytest.param(close_stdin, id="end of stdin"),
    ],
)
def test_an_ended_host_leaves_no_process(
    tmp_path: Path, end: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    instances, ports = fleet_of(3)
    with running_host(tmp_path, instances) as host:
        pids = started_all(host, 3)
        os.kill(pids[1], signal.SIGSTOP)
        end(host.process)
        assert host.process.wait(timeout=6) == 0
        assert all(map(is_gone, pids))
        assert all(map(refuses, ports))
        for _ in range(3):
            assert host.event("exited")["respawn_in_s"] is None


@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_host_leaves_no_process(tmp_path: Path, *, stopped: bool) -> None:
    if stopped and sys.platform != "linux":
        pytest.skip("only Linux ends a stopped process with its parent")
    instances, ports = fleet_of(4)
    with running_host(tmp_path, instances) as host:
        pids = started_all(host, 4)
        if stopped:
            os.kill(pids[0], signal.SIGSTOP)
        host.process.kill()
        wait_until(lambda: all(map(is_gone, pids)), "instances gone", seconds=3)
        assert all(map(refuses, ports))


def test_a_host_killed_while_starting_leaves_no_process(tmp_path: Path) -> None:
    instances, ports = fleet_of(6)
    with running_host(tmp_path, instances) as host:
        host.event("started")
        host.process.kill()
        wait_until(lambda: all(map(refuses, ports)), "ports free", seconds=3)


def test_a_taken_port_is_told_and_tried_again(tmp_path: Path) -> None:
    instances, ports = fleet_of(2)
    with (
        closing(listener_open(ADDRESS, ports[0])) as other,
        running_host(tmp_path, instances) as host,
    ):
        failed = host.event("failed")
        assert (failed["port"], failed["reason"]) == (ports[0], "address already in use")
        assert failed["retry_in_s"] == 0.5
        assert host.event("started")["port"] == ports[1]
        assert host.event("failed")["retry_in_s"] == 1.0
        other.close()
        assert host.event("started")["port"] == ports[0]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--instances", "video:9001", "instance 'video:9001'"),
        ("--respawn", "soon", "respawn 'soon'"),
        ("--recording-peers", "here", "peer 'here'"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, option: str, value: str, said: str) -> None:
    options = {
        "--name": "a1",
        "--zone": "zone-a",
        "--address": ADDRESS,
        "--instances": "sms:9101",
        "--store": str(tmp_path),
    } | {option: value}
    words = [word for pair in options.items() for word in pair]
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo.host", *words],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_two_instances_of_a_host_share_its_recordings(tmp_path: Path) -> None:
    ports = free_ports(2)
    with running_host(tmp_path, ",".join(f"recording:{port}" for port in ports)) as host:
        started_all(host, 2)
        note = voice_note(0.2, 440)
        urls = [f"http://{ADDRESS}:{port}/" for port in ports]
        made = requests.post(f"{urls[0]}process", data=note, timeout=5).json()
        assert requests.get(f"{urls[1]}recordings/{made['sha256']}", timeout=5).ok
