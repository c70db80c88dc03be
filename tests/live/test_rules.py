from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.core.errors import Invalid
from pool_manager.live.rules import Filter, Subscription, same_origin, subscription_parse
from tests.live.events_made import event_made


@pytest.mark.parametrize(
    ("frame", "after", "wanted"),
    [
        ({}, None, Filter()),
        ({"after": None, "pools": None, "kinds": None, "min_severity": None}, None, Filter()),
        ({"after": 0}, 0, Filter()),
        ({"after": 2**63 - 1}, 2**63 - 1, Filter()),
        ({"pools": ["sms", "sms"]}, None, Filter(pools=frozenset({"sms"}))),
        ({"pools": []}, None, Filter(pools=frozenset())),
        ({"kinds": ["instance.*", "probe.failed"]}, None, Filter(kinds=("instance.", "probe.failed"))),
        ({"kinds": ["*"]}, None, Filter(kinds=("",))),
        ({"min_severity": "info"}, None, Filter()),
        ({"min_severity": "warning"}, None, Filter(min_rank=2)),
        ({"type": "subscribe", "unknown": 1}, None, Filter()),
    ],
)  # fmt: skip
def test_a_subscription(frame: dict[str, Any], after: int | None, wanted: Filter) -> None:
    assert subscription_parse(frame) == Subscription(after, wanted)


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        ({"after": -1}, ["after"]),
        ({"after": 2**63}, ["after"]),
        ({"after": 1.0}, ["after"]),
        ({"after": True}, ["after"]),
        ({"after": "7"}, ["after"]),
        ({"pools": "sms"}, ["pools"]),
        ({"pools": ["sms", 7]}, ["pools"]),
        ({"pools": {"sms": 1}}, ["pools"]),
        ({"pools": ["x"] * 201}, ["pools"]),
        ({"kinds": ["x" * 201]}, ["kinds"]),
        ({"kinds": [None]}, ["kinds"]),
        ({"min_severity": "fatal"}, ["min_severity"]),
        ({"min_severity": ""}, ["min_severity"]),
        ({"min_severity": ["info"]}, ["min_severity"]),
        (
            {"after": "x", "pools": 1, "kinds": 2, "min_severity": 3},
            ["after", "pools", "kinds", "min_severity"],
        ),
    ],
    ids=str,
)
def test_a_bad_subscription_names_every_field(frame: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Invalid) as fault:
        subscription_parse(frame)
    assert list(fault.value.faults) == fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(frame=st.dictionaries(st.sampled_from(["after", "pools", "kinds", "min_severity"]), JSON))
def test_any_frame_is_understood_or_refused(frame: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        subscription_parse(frame).filter.wants(event_made(1))


@pytest.mark.parametrize(
    ("wanted", "kind", "severity", "pool", "passes"),
    [
        (Filter(), "instance.up", "info", "sms", True),
        (Filter(), "zone.created", "info", None, True),
        (Filter(pools=frozenset({"sms"})), "instance.up", "info", "sms", True),
        (Filter(pools=frozenset({"sms"})), "instance.up", "info", "voice", False),
        (Filter(pools=frozenset({"sms"})), "zone.created", "info", None, False),
        (Filter(pools=frozenset()), "instance.up", "critical", "sms", False),
        (Filter(kinds=("instance.",)), "instance.up", "info", "sms", True),
        (Filter(kinds=("instance.",)), "probe.failed", "info", "sms", False),
        (Filter(kinds=("",)), "probe.failed", "info", "sms", True),
        (Filter(kinds=()), "probe.failed", "critical", "sms", False),
        (Filter(min_rank=2), "instance.up", "notice", "sms", False),
        (Filter(min_rank=2), "instance.up", "warning", "sms", True),
        (Filter(min_rank=2), "instance.up", "critical", "sms", True),
        (Filter(frozenset({"sms"}), ("probe.",), 2), "probe.failed", "warning", "sms", True),
        (Filter(frozenset({"sms"}), ("probe.",), 2), "probe.failed", "notice", "sms", False),
    ],
)
def test_which_events_pass(
    wanted: Filter, kind: str, severity: str, pool: str | None, passes: bool
) -> None:
    assert wanted.wants(event_made(1, kind=kind, severity=severity, pool=pool)) is passes


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://localhost", "localhost", True),
        ("http://localhost:80", "localhost", True),
        ("http://localhost", "localhost:80", True),
        ("https://pm.example.com", "pm.example.com", True),
        ("https://pm.example.com", "pm.example.com:443", True),
        ("https://PM.Example.com", "pm.example.COM", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://127.0.0.1:8001", "127.0.0.1:8000", False),
        ("http://localhost:8000", "127.0.0.1:8000", False),
        ("https://pm.example.com:80", "pm.example.com", False),
        ("http://pm.example.com.evil.org", "pm.example.com", False),
        ("http://evil.org@pm.example.com", "pm.example.com", False),
        ("http://pm.example.com@evil.org", "pm.example.com", False),
        ("null", "localhost", False),
        ("file://localhost", "localhost", False),
        ("localhost", "localhost", False),
        ("", "localhost", False),
        (None, "localhost", False),
        ("http://localhost", "", False),
        ("http://localhost", None, False),
        ("http://", "", False),
        ("http://[::1", "[::1", False),
    ],
)
def test_who_may_connect(origin: str | None, host: str | None, same: bool) -> None:
    assert same_origin(origin=origin, host=host) is same


@given(origin=st.text(), host=st.text())
def test_any_origin_is_judged_without_a_failure(origin: str, host: str) -> None:
    same_origin(origin=f"http://{origin}", host=host)
