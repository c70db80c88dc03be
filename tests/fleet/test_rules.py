from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.fleet.kinds import LIVING, Health, Life, Override
from pool_manager.fleet.rules import (
    AddressLine,
    LineFault,
    address_lines_parse,
    instance_name,
    life_change_allowed,
    override_effective,
    routable,
)

ARROWS = {
    ("launching", "in_service"),
    ("in_service", "standby"),
    ("standby", "in_service"),
    ("in_service", "draining"),
    ("standby", "draining"),
    ("draining", "in_service"),
    ("draining", "terminating"),
    ("terminating", "terminated"),
    ("lost", "in_service"),
    ("lost", "terminated"),
    *((life.value, "lost") for life in Life if life not in {Life.TERMINATED, Life.LOST}),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Life, Life)))
def test_the_life_cycle_has_these_arrows_and_no_others(old: Life, new: Life) -> None:
    assert life_change_allowed(old, new) is ((old.value, new.value) in ARROWS)


def test_whatever_is_not_terminated_is_living() -> None:
    assert set(Life) - set(LIVING) == {Life.TERMINATED}


@pytest.mark.parametrize(
    ("overrides", "counts"),
    [
        ([], "none"),
        (["none", "none"], "none"),
        (["none", "drain", "none"], "drain"),
        (["drain", "maintenance"], "maintenance"),
        (["maintenance", "none", "drain"], "maintenance"),
    ],
)
def test_the_strongest_override_counts(overrides: list[str], counts: str) -> None:
    assert override_effective(*map(Override, overrides)) == counts


@pytest.mark.parametrize(
    ("life", "override", "health", "ejected"),
    list(itertools.product(Life, Override, Health, [False, True])),
)
def test_callers_are_sent_to_what_serves_and_is_well(
    life: Life, override: Override, health: Health, ejected: bool
) -> None:
    well = (life, override, ejected) == ("in_service", "none", False)
    expected = well and health in {"up", "degraded"}
    assert routable(life=life, override=override, health=health, ejected=ejected) is expected


def test_an_instance_is_named_by_pool_host_and_port() -> None:
    assert instance_name(pool="sms", host="a1", port=9000) == "sms@a1:9000"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.5:8080", "10.0.0.5", 8080),
        ("  10.0.0.5:8080\t", "10.0.0.5", 8080),
        ("10.0.0.5:8080 # the old one", "10.0.0.5", 8080),
        ("[::1]:80", "::1", 80),
        ("[2001:DB8:0::1]:80", "2001:db8::1", 80),
        ("::1:80", "::1", 80),
        ("App-1.Example.COM:443", "app-1.example.com", 443),
        ("app_1:1", "app_1", 1),
        ("localhost:65535", "localhost", 65535),
    ],
)
def test_a_line_that_can_be_read(text: str, host: str, port: int) -> None:
    assert address_lines_parse(text, limit=9) == ([AddressLine(1, host, port)], [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.5", "no port"),
        (":80", "no port"),
        ("10.0.0.5:", "port ''"),
        ("10.0.0.5:0", "port '0'"),
        ("10.0.0.5:65536", "from 1 to 65535"),
        ("10.0.0.5:-1", "port '-1'"),
        ("10.0.0.5:8o", "port '8o'"),
        ("10.0.0.5:٨", "port '٨'"),
        pytest.param("10.0.0.5:" + "9" * 5000, "from 1 to 65535", id="5,000 digits"),
        ("10.0.0.256:80", "neither an IP address nor a host name"),
        ("010.0.0.1:80", "neither"),
        ("http://app:80", "neither"),
        ("two words:80", "neither"),
        ("a..b:80", "neither"),
        ("...:80", "neither"),
        ("[]:80", "neither"),
        pytest.param("a" * 64 + ":80", "neither", id="a label of 64"),
        pytest.param(".".join(["a" * 60] * 5) + ":80", "neither", id="a name of 304"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(text: str, problem: str) -> None:
    good, bad = address_lines_parse(text, limit=9)
    assert good == []
    assert [fault.number for fault in bad] == [1]
    assert problem in bad[0].problem


def test_lines_are_counted_as_the_reader_counts_them() -> None:
    good, bad = address_lines_parse("# pool\n\n10.0.0.1:1\nnonsense\n10.0.0.2:1\n", limit=9)
    assert [line.number for line in good] == [3, 5]
    assert [fault.number for fault in bad] == [4]


@pytest.mark.parametrize("twin", ["10.0.0.1:80", "[10.0.0.1]:80", "10.0.0.1:080"])
def test_a_duplicate_names_the_line_it_repeats(twin: str) -> None:
    good, bad = address_lines_parse(f"10.0.0.2:80\n10.0.0.1:80\n{twin}", limit=9)
    assert len(good) == 2
    assert bad == [LineFault(3, twin, "the same as line 2; remove one")]


def test_one_line_too_many_ends_the_reading() -> None:
    good, bad = address_lines_parse("a:1\na:2\na:3\na:4", limit=2)
    assert [line.port for line in good] == [1, 2]
    assert bad == [LineFault(3, "a:3", "more than 2 instances; split the list")]


LINES = st.one_of(
    st.text(),
    st.from_regex(r"\[?[0-9a-fA-F:.%]{0,12}\]?:[0-9]{0,6}", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9._-]{0,70}:[0-9]{0,6}", fullmatch=True),
)


@given(text=st.lists(LINES, max_size=8).map("\n".join), limit=st.integers(0, 5))
def test_any_text_is_read_without_a_failure(text: str, limit: int) -> None:
    good, bad = address_lines_parse(text, limit=limit)
    assert len(good) <= limit
    assert len({(line.host, line.port) for line in good}) == len(good)
    assert all(1 <= line.port <= 65535 and line.host for line in good)
    numbers = [line.number for line in good] + [fault.number for fault in bad]
    assert len(set(numbers)) == len(numbers)


@given(text=st.lists(LINES, max_size=8).map("\n".join))
def test_what_was_read_reads_the_same_again(text: str) -> None:
    good, _ = address_lines_parse(text, limit=9)
    again, bad = address_lines_parse(
        "\n".join(f"[{line.host}]:{line.port}" for line in good), limit=9
    )
    assert bad == []
    assert [(line.host, line.port) for line in again] == [(line.host, line.port) for line in good]
