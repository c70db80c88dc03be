"""One probe of real servers: the exact reason of everything that can go wrong."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pool_manager.health.engine.allow import Allow
from pool_manager.health.engine.once import Outcome, probe_many
from tests.health_engine.engine_rig import (
    LOOPBACK,
    Behaviour,
    answer,
    free_port,
    hangs,
    json_body,
    ok,
    resets,
    says,
    says_and_closes,
    site,
    target,
)

SLOW = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
TABLE: list[tuple[str, Behaviour, dict[str, object], bool, str]] = [
    ("healthy", says(ok()), {}, True, ""),
    ("healthy and closing", says_and_closes(ok(b"", b"Connection: close")), {}, True, ""),
    ("until the end", says_and_closes(b"HTTP/1.1 200 OK\r\n\r\nok"), {"body_contains": "ok"}, True, ""),
    ("503", says(answer(b"503 Busy", b"")), {}, False, "HTTP 503, expected 200-399"),
    ("200 not wanted", says(ok()), {"expect": "204,301"}, False, "HTTP 200, expected 204,301"),
    ("hang", hangs, {}, False, "timeout after 150 ms waiting for headers"),
    ("slow headers", says(*[SLOW[i : i + 1] for i in range(30)], every_s=0.02), {}, False, "timeout after 150 ms waiting for headers"),
    ("slow body", says(SLOW, *[b"x"] * 20, every_s=0.05), {}, False, "timeout after 150 ms reading body"),
    ("closed at once", says_and_closes(), {}, False, "connection closed before the answer"),
    ("cut short", says_and_closes(SLOW), {}, False, "connection closed before the answer was complete"),
    ("reset", resets, {}, False, "connection reset"),
    ("contains", says(ok(b"all well")), {"body_contains": "well"}, True, ""),
    ("does not contain", says(ok(b"ill")), {"body_contains": "x"}, False, "body does not contain 'x'"),
    ("json", says(json_body({"checks": [{"ok": True}]})), {"json_path": "checks.0.ok", "json_equals": True}, True, ""),
    ("json differs", says(json_body({"status": "bad"})), {"json_path": "status", "json_equals": "ok"}, False, "JSON status is 'bad', expected 'ok'"),
    ("json true is not 1", says(json_body({"a": True})), {"json_path": "a", "json_equals": 1}, False, "JSON a is True, expected 1"),
    ("json lacks", says(json_body({})), {"json_path": "a.b", "json_equals": 1}, False, "JSON has no a.b"),
    ("no json", says(ok(b"<html>")), {"json_path": "a", "json_equals": 1}, False, "body is not JSON"),
    ("big body", says(ok(b"x" * 70000)), {}, True, ""),
    ("big body to judge", says(ok(b"x" * 70000)), {"body_contains": "y"}, False, "body over 65536 bytes"),
    ("post", says(ok()), {"method": "POST"}, True, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("behave", "params", "good", "reason"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
async def test_reasons(
    behave: Behaviour, params: dict[str, object], good: bool, reason: str | None
) -> None:
    async with site(behave) as at:
        found = await probe(at.port, params=params, timeout_ms=150)
    assert found.ok is good
    if reason is not None:
        assert found.reason == reason


async def test_malformed_answer() -> None:
    async with site(says(b"SSH-2.0-OpenSSH\r\n")) as at:
        found = await probe(at.port)
    assert found.reason.startswith("malformed answer: ")


async def test_nobody_listens() -> None:
    assert (await probe(free_port())).reason == "connection refused"
    assert (await probe(free_port(), kind="tcp")).reason == "connection refused"


async def test_tcp_accepts() -> None:
    async with site(hangs) as at:
        assert (await probe(at.port, kind="tcp")).ok


async def test_a_full_backlog_times_out_connecting() -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for sock in (first, second):
            sock.settimeout(0)
            sock.connect_ex(("127.0.0.1", port))
        assert (await probe(port)).reason == "timeout after 250 ms connecting"


async def test_a_name_is_resolved() -> None:
    async with site(says(ok())) as at:
        assert (await probe(at.port, address="localhost", timeout_ms=2000)).ok
    found = await probe(80, address="no-such-host.invalid", timeout_ms=5000)
    assert found.ok is False
    assert found.reason.startswith(
        ("name no-such-host.invalid does not resolve", "timeout after 5000 ms resolving the name")
    )


async def test_settings_at_fault_are_told() -> None:
    found = await probe(80, params={"path": "x"})
    assert found == Outcome(None, "settings: path: 'x' must start with /, such as /healthz")


async def test_more_targets_than_may_run_at_once() -> None:
    async with site(says(ok())) as at:
        targets = [target(at.port, str(number)) for number in range(50)]
        found = await asyncio.to_thread(probe_many, targets, allow=LOOPBACK, concurrency=7)
    assert [found[str(number)].ok for number in range(50)] == [True] * 50


async def test_the_host_header_and_ours() -> None:
    async with site(says(ok())) as at:
        await probe(at.port, params={"headers": {"X-Why": "health"}, "host": "sms.internal"})
    lines = at.heads[0].decode().split("\r\n")
    assert lines[0] == "GET /healthz HTTP/1.1"
    assert {"Host: sms.internal", "X-Why: health"} <= set(lines)


@pytest.mark.parametrize(
    ("address", "cidrs", "refused"),
    [
        ("127.0.0.1", ["127.0.0.0/8"], False),
        ("10.1.2.3", ["10.0.0.0/8"], False),
        ("8.8.8.8", ["10.0.0.0/8"], True),
        ("169.254.1.1", ["0.0.0.0/0"], True),
        ("169.254.169.254", ["169.254.0.0/16"], True),
        ("::ffff:169.254.169.254", ["::/0", "0.0.0.0/0"], True),
        ("::ffff:10.0.0.1", ["10.0.0.0/8"], False),
        ("fe80::1", ["::/0"], True),
        ("fe80::1%lo", ["::/0"], True),
        ("::1", ["::1/128"], False),
        ("127.0.0.1", [], True),
    ],
)
def test_where_probes_may_go(address: str, cidrs: list[str], refused: bool) -> None:
    assert bool(Allow(cidrs).refusal(address)) is refused


async def test_no_connection_outside_the_allowed() -> None:
    found = await asyncio.to_thread(
        probe_many, [target(80, address="169.254.1.1")], allow=["0.0.0.0/0"]
    )
    assert found["t"].ok is None
    assert found["t"].reason == "address 169.254.1.1 is outside POOL_MANAGER_PROBE_ALLOW"


async def probe(port: int, **settings: object) -> Outcome:
    found = await asyncio.to_thread(probe_many, [target(port, "t", **settings)], allow=LOOPBACK)
    return found["t"]
