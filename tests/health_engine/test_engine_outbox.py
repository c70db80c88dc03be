"""What waits for the parent is bounded, and lines are what both sides mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.health.engine import outbox as outbox_module
from pool_manager.health.engine.outbox import Outbox
from pool_manager.health.engine.timetable import Timetable
from pool_manager.health.engine.wire import (
    LINE_MAX_BYTES,
    AllowNetworks,
    Hello,
    LineReader,
    Look,
    Message,
    Report,
    ResultRow,
    SignalRow,
    Stop,
    Target,
    Targets,
    WireError,
    decode,
    encode,
    encode_targets,
)

SIGNAL = SignalRow(id="a", kind="down", at=1.5, reason="connection refused", count=2, of=2)
RESULT = ResultRow("a", 0, "connection refused", 3, 1.5, 0.2, None)


@pytest.mark.parametrize(
    "message",
    [
        Targets(set=(Target("a", "10.0.0.1", 80, params={"path": "/x"}),), drop=("b",)),
        AllowNetworks(("10.0.0.0/8",)),
        Look(("a", "b")),
        Stop(),
        Hello(pid=1, fd_limit=2),
        Report(mono=2.0, signals=(SIGNAL,), results=(RESULT,), probes={"http": {"ok": 1}}),
    ],
)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert decode(encode(message).rstrip()) == message


@pytest.mark.parametrize(
    "line", [b"", b"x", b"[]", b"1", b'{"t":"fly"}', b'{"t":"look","who":1}', b'{"t":"targets","set":[1]}']
)  # fmt: skip
def test_what_is_no_message(line: bytes) -> None:
    with pytest.raises(WireError, match="not a message"):
        decode(line)


def test_many_targets_are_cut_into_lines() -> None:
    targets = [Target(str(number), "10.0.0.1", 80) for number in range(1201)]
    lines = [decode(line) for line in encode_targets(targets, drop=["x"])]
    assert [len(line.set) for line in lines if isinstance(line, Targets)] == [500, 500, 201, 0]


@given(st.lists(st.integers(1, 9), max_size=9))
def test_lines_come_out_however_they_were_cut(cuts: list[int]) -> None:
    reader, rest, lines = LineReader(), b"one\ntwo\nthree\n", []
    for cut in [*cuts, 99]:
        lines += reader.feed(rest[:cut])
        rest = rest[cut:]
    assert lines == [b"one", b"two", b"three"]


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(WireError, match="a line longer than"):
        LineReader().feed(b"x" * (LINE_MAX_BYTES + 1))


def tell(outbox: Outbox, target_id: str, *, ok: bool, reason: str = "", at: float = 0.0) -> None:
    outbox.result(target_id, ok=ok, reason=reason, at=at, latency_ms=1.0, load=None)


def test_equal_results_are_one_run_in_order() -> None:
    outbox = Outbox()
    for ok in (True, True, False, True):
        tell(outbox, "a", ok=ok)
        tell(outbox, "b", ok=True)
    _, results, _ = outbox.take()
    assert [(row.id, row.ok, row.times) for row in results] == [
        ("a", 1, 2), ("b", 1, 4), ("a", 0, 1), ("a", 1, 1),
    ]  # fmt: skip


def test_a_run_that_was_taken_is_not_counted_again() -> None:
    outbox = Outbox()
    tell(outbox, "a", ok=True)
    outbox.take()
    tell(outbox, "a", ok=True)
    assert [row.times for row in outbox.take()[1]] == [1]


def test_what_waits_is_bounded_and_the_last_word_stays() -> None:
    outbox, limit = Outbox(), outbox_module.WAITING_MAX
    for number in range(limit * 3):
        kind = "up" if number % 2 else "down"
        outbox.signal(SignalRow(id=f"t{number % 10}", kind=kind, at=float(number)))
        tell(outbox, f"t{number % 10}", ok=True, reason=str(number), at=float(number))
    signals: list[SignalRow] = []
    results: list[ResultRow] = []
    merged = 0
    while outbox:
        some_signals, some_results, more = outbox.take()
        signals += some_signals
        results += some_results
        merged += more
    assert len(signals) <= limit
    assert len(results) <= limit
    assert merged + sum(row.times for row in results) == limit * 3
    assert {row.id: row.at for row in signals} == {
        f"t{n % 10}": float(n) for n in range(limit * 3 - 10, limit * 3)
    }
    assert signals == sorted(signals, key=lambda row: row.at)


def test_nothing_is_told_about_what_is_gone() -> None:
    outbox = Outbox()
    tell(outbox, "a", ok=True)
    outbox.signal(SIGNAL)
    outbox.forget("a")
    assert not outbox


class Item:
    def __init__(self) -> None:
        self.turn = 0


def test_stale_entries_are_skipped_and_thrown_away() -> None:
    table: Timetable[Item] = Timetable()
    item = Item()
    for number in range(5000):
        item.turn = number
        table.add(float(5000 - number), item)
        table.compact(1)
    assert len(table) < 300
    assert table.pop_due(0.5) is None
    assert table.pop_due(1.0) is item
    assert table.next_at() is None
