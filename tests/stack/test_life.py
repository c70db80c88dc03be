"""Starting, dying and stopping of the whole stack."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.stack.running import Up, command_line, up_fails, up_running
from tests.waiting import wait_until

pytestmark = pytest.mark.stack


def answers(up: Up) -> bool:
    try:
        return requests.get(f"{up.url}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def running(up: Up, words: str) -> list[int]:
    """The processes of that name; one killed by the test before may just be coming back."""
    return wait_until(lambda: up.children_named(words), seconds=15, what=f"{words} runs")


def one_other(up: Up, words: str, old: int) -> Callable[[], bool]:
    def look() -> bool:
        now = up.children_named(words)
        return bool(now) and old not in now

    return look


@pytest.mark.parametrize(
    "words", ["pool_manager.ops.web", "manage.py prober", "manage.py rqworker", "manage.py clock"]
)
def test_a_killed_child_is_started_again(demo: Up, words: str) -> None:
    (old, *_) = running(demo, words)
    os.kill(old, signal.SIGKILL)
    wait_until(one_other(demo, words, old), seconds=15, what=f"{words} is there again")
    wait_until(lambda: answers(demo), seconds=15, what="the web process answers")


def test_the_engine_and_its_parent_die_together_and_both_come_back(demo: Up) -> None:
    (engine, *_) = running(demo, "health.engine")
    (parent, *_) = running(demo, "manage.py prober")
    os.kill(engine, signal.SIGKILL)
    wait_until(one_other(demo, "manage.py prober", parent), seconds=15, what="a new prober")
    wait_until(one_other(demo, "health.engine", engine), seconds=15, what="a new engine")


def test_the_live_store_comes_back_and_the_web_process_says_it_was_away(demo: Up) -> None:
    (old, *_) = wait_until(lambda: servers(demo), seconds=15, what="the live store runs")
    os.kill(old, signal.SIGKILL)
    wait_until(
        lambda: [pid for pid in servers(demo) if pid != old], seconds=15, what="a new live store"
    )
    wait_until(
        lambda: requests.get(f"{demo.url}/readyz", timeout=2).json()["degraded"] == {},
        seconds=15,
        what="nothing is degraded",
    )


def servers(up: Up) -> list[int]:
    """The live store's server itself: not the leash, which has it in its command line."""
    return [pid for pid in up.children_named("valkey-server") if "leash" not in command_line(pid)]


def test_a_second_up_on_the_same_data_dir_says_who_is_there(demo: Up) -> None:
    status, said = up_fails("--data-dir", str(demo.data_dir))
    assert status == 2
    assert f"is in use by process {demo.process.pid} at {demo.url}" in said
    assert "Traceback" not in said


def test_a_port_that_was_asked_for_and_is_taken_is_refused(demo: Up, tmp_path: Path) -> None:
    port = demo.url.rpartition(":")[2]
    status, said = up_fails("--data-dir", str(tmp_path), "--port", port)
    assert status == 2
    assert f"port {port} on 127.0.0.1 is taken" in said
    assert "Traceback" not in said


def test_secrets_are_readable_for_their_owner_alone(demo: Up) -> None:
    for name in ("operator-password", "secret_key"):
        assert stat.S_IMODE((demo.data_dir / name).stat().st_mode) == 0o600


def left_behind(up: Up) -> list[str]:
    return [path.name for path in up.data_dir.iterdir() if path.suffix in {".sock", ".lock"}]


def test_sigterm_leaves_no_process_and_no_socket_and_a_second_start_finds_the_fleet_again(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "d"
    names: list[set[str]] = []
    for _ in range(2):
        with up_running(data_dir, "--demo") as up:
            http = up.login()
            names.append(wait_until(lambda: ids(up, http), seconds=30, what="36 instances"))  # noqa: B023  # used at once
            assert up.stop() == 0
        assert up.processes() == []
        assert left_behind(up) == []
        assert not (data_dir / "running.json").exists()
        assert "Traceback" not in up.text
    assert names[0] == names[1]


def ids(up: Up, http: requests.Session) -> set[str] | None:
    found = {row["id"] for row in up.fleet(http).values()}
    return found if len(found) == 36 else None


def test_kill_9_of_up_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    with up_running(tmp_path / "d", "--demo") as up:
        wait_until(
            lambda: len(up.children_named("examples.demo.host")) > 30,
            seconds=20,
            what="the demo's processes run",
        )
        up.process.kill()
        up.process.wait(timeout=10)
        wait_until(lambda: not up.processes(), seconds=20, what="every process is gone")
        assert left_behind(up) == []


def test_kill_9_of_up_takes_a_stopped_engine_along(tmp_path: Path) -> None:
    with up_running(tmp_path / "d", "--demo") as up:
        up.settled(up.login())  # the engine is past its start and at work
        (engine,) = running(up, "health.engine")
        os.kill(engine, signal.SIGSTOP)
        up.process.kill()
        up.process.wait(timeout=10)
        wait_until(
            lambda: engine not in up.processes(), seconds=20, what="the stopped engine is gone"
        )
        wait_until(lambda: not up.processes(), seconds=20, what="every process is gone")


def test_it_comes_up_where_the_environment_names_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    nowhere = dict.fromkeys(names, "http://127.0.0.1:9")
    with up_running(tmp_path / "d", **nowhere, no_proxy="", NO_PROXY="") as up:
        assert answers(up)
        assert "Traceback" not in up.text


def test_the_next_free_port_is_taken_and_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # somebody else has it: just as well
        with up_running(tmp_path / "d") as up:
            assert "port 8000 is taken: listening on" in up.text
            assert not up.url.endswith(":8000")
            assert answers(up)
