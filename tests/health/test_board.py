from __future__ import annotations

from typing import Any

import orjson
import pytest

from pool_manager.health.board import STRIP_CELLS, Board
from pool_manager.health.engine.wire import ResultRow, SignalRow
from pool_manager.health.selectors import ProbeState, probe_states, probes_key
from pool_manager.stores import live_store


def board_made(*, health: str = "up", fall: int = 3, kind: str = "http") -> Board:
    board = Board()
    board.targets_set([("a", "sms", health, fall, kind)])
    return board


def result(
    ok: int | None = 1, *, reason: str = "", times: int = 1, latency_ms: float | None = 5.0,
    load: float | None = None, key: str = "a", at: float = 1.0,
) -> ResultRow:  # fmt: skip
    return ResultRow(key, ok, reason, times, at, latency_ms, load)


REFUSED = "connection refused"


def test_the_first_result_is_news() -> None:
    board = board_made()
    board.results_add([result()])
    assert board.deltas() == {
        "sms": {"instances": [["a", "up", None, 5.0]], "doubt": [["a", 0, 3, ""]], "strips": [["a", "."]]}
    }  # fmt: skip
    assert board.deltas() == {}


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        pytest.param(5.0, 5.9, False, id="less than a fifth"),
        pytest.param(5.0, 6.1, True, id="more than a fifth"),
        pytest.param(0.5, 0.9, False, id="less than half a millisecond"),
        pytest.param(5.0, None, True, id="no latency any more"),
        pytest.param(None, None, False, id="none before and after"),
    ],
)
def test_when_a_latency_is_news(before: float | None, after: float | None, news: bool) -> None:
    board = board_made()
    board.results_add([result(latency_ms=before)])
    board.deltas()
    board.results_add([result(latency_ms=after)])
    assert bool(board.deltas()["sms"]["instances"]) is news


@pytest.mark.parametrize(("before", "after", "news"), [(0.5, 0.52, False), (0.5, 0.6, True), (None, 0.9, True)])  # fmt: skip
def test_when_a_load_is_news(before: float | None, after: float, news: bool) -> None:
    board = board_made()
    board.results_add([result(load=before)])
    board.deltas()
    board.results_add([result(load=after)])
    assert bool(board.deltas()["sms"]["instances"]) is news


def test_a_verdict_is_news() -> None:
    board = board_made()
    board.results_add([result()])
    board.deltas()
    board.signals_add([SignalRow("a", "down", 2.0)])
    assert board.deltas()["sms"]["instances"] == [["a", "down", None, 5.0]]


def test_doubt_counts_up_and_ends_with_the_verdict() -> None:
    board = board_made()
    told = []
    for _ in range(2):
        board.results_add([result(0, reason=REFUSED)])
        told.append(board.deltas()["sms"]["doubt"])
    board.signals_add([SignalRow("a", "down", 2.0)])
    board.results_add([result(0, reason=REFUSED)])
    told.append(board.deltas()["sms"]["doubt"])
    assert told == [[["a", 1, 3, REFUSED]], [["a", 2, 3, REFUSED]], [["a", 0, 3, REFUSED]]]


def test_nothing_learned_is_a_cell_and_changes_nothing_else() -> None:
    board = board_made()
    board.results_add([result(0, reason=REFUSED), result(None, reason="stalled")])
    delta = board.deltas()["sms"]
    assert delta["strips"] == [["a", "x?"]]
    assert delta["doubt"] == [["a", 1, 3, REFUSED]]


def test_strips_are_bounded_and_run_lengths_are_unrolled() -> None:
    board = board_made()
    board.results_add([result(times=1000), result(0, reason=REFUSED, times=2)])
    strip = ("." * STRIP_CELLS + "xx")[-STRIP_CELLS:]
    assert board.deltas()["sms"]["strips"] == [["a", strip]]
    row = board.pools(wall=0)["sms"]["a"]
    assert row[7] == strip
    assert row[8] == [[STRIP_CELLS - 2, REFUSED], [STRIP_CELLS - 1, REFUSED]]


@pytest.mark.parametrize(
    ("kind", "signals", "on"),
    [("http", [], True), ("http", ["tripwire_off"], False), ("tcp", [], False)],
)
def test_whether_the_tripwire_is_on(kind: str, signals: list[str], on: bool) -> None:
    board = board_made(kind=kind)
    board.signals_add([SignalRow("a", word, 1.0) for word in signals])
    assert board.pools(wall=0)["sms"]["a"][5] is on


def test_what_is_no_longer_probed_is_forgotten() -> None:
    board = board_made()
    board.results_add([result()])
    board.targets_set([("b", "voice", "unknown", 3, "http")])
    board.results_add([result(), result(key="b")])
    board.signals_add([SignalRow("a", "down", 1.0)])
    assert list(board.deltas()) == ["voice"]
    assert list(board.pools(wall=0)) == ["voice"]


def test_what_is_still_probed_keeps_its_history() -> None:
    board = board_made()
    board.results_add([result()])
    board.targets_set([("a", "sms", "up", 5, "http")])
    row: list[Any] = board.pools(wall=0)["sms"]["a"]
    assert (row[1], row[7]) == (5, ".")


def published(board: Board, *, wall: float) -> None:
    for slug, rows in board.pools(wall=wall).items():
        live_store.client().set(probes_key(slug), orjson.dumps(rows), ex=60)


@pytest.mark.usefixtures("live_store_server")
def test_pages_read_what_the_board_published() -> None:
    board = Board()
    board.targets_set([("a", "sms", "up", 3, "http"), ("b", "voice", "unknown", 2, "tcp")])
    board.results_add(
        [result(at=10.0, load=0.25), result(0, reason=REFUSED, at=11.0, latency_ms=None)]
    )
    published(board, wall=1000.0)
    states = probe_states(["sms", "voice", "fax"])
    assert states == {
        "a": ProbeState(
            as_of=1011.0, ok=False, failing=1, of=3, reason=REFUSED, latency_ms=None, load=None,
            tripwire=True, strip=".x", strip_reasons=[(1, REFUSED)],
        ),
        "b": ProbeState(
            as_of=None, ok=None, failing=0, of=2, reason="", latency_ms=None, load=None,
            tripwire=False, strip="", strip_reasons=[],
        ),
    }  # fmt: skip
    assert probe_states([]) == {}


def test_the_verdict_is_the_engines_last_word() -> None:
    board = board_made(health="unknown")
    assert board.verdict("a") == ("unknown", "")
    board.signals_add([SignalRow("a", "down", 1.0, reason=REFUSED)])
    board.results_add([result(0, reason=REFUSED)])
    assert board.verdict("a") == ("down", REFUSED)
    assert board.verdict("nobody") == ("unknown", "")


@pytest.mark.parametrize(("kind", "after"), [("http", True), ("tcp", False)])
def test_new_settings_have_the_tripwire_watched_anew(kind: str, after: bool) -> None:
    board = board_made(kind=kind)
    board.signals_add([SignalRow("a", "tripwire_off", 1.0)])
    board.tripwire_reset("a")
    assert board.pools(wall=0.0)["sms"]["a"][5] is after


def test_a_strip_is_seeded_only_where_nothing_was_probed_yet() -> None:
    board = board_made()
    board.strips_seed({"a": [(".", ""), ("x", REFUSED)], "nobody": [(".", "")]})
    board.results_add([result()])
    board.strips_seed({"a": [("x", "late")]})
    assert board.pools(wall=0.0)["sms"]["a"][7] == ".x."
