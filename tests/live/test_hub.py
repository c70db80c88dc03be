from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.live.hub import ENCODED_KEPT, FRAME_EVENTS_MAX, STATE_FRAMES_KEPT, Hub, PoolDelta
from pool_manager.live.rules import Filter
from tests.live.events_made import events_made

ALL = Filter()
SMS = Filter(pools=frozenset({"sms"}))


def hub_made(*, last: int = 10, held: int = 10, **kwargs: Any) -> Hub:
    hub = Hub()
    hub.start_at(last=last, oldest=1, events=events_made(last - held + 1, last, **kwargs))
    return hub


def body(text: str | None) -> dict[str, Any]:
    assert text is not None
    decoded: dict[str, Any] = orjson.loads(text)
    return decoded


def test_a_new_hub_knows_nothing_and_is_not_ready() -> None:
    hub = Hub()
    assert not hub.ready
    assert hub.events_frame(ALL, 0) is not None


def test_a_frame_has_what_follows_a_place() -> None:
    frame = hub_made().events_frame(ALL, 7)
    assert frame is not None
    told = body(frame.text)
    assert (told["type"], told["from"], told["to"]) == ("events", 8, 10)
    assert [event["seq"] for event in told["events"]] == [8, 9, 10]
    assert (frame.to, frame.matched) == (10, 3)


def test_filtered_events_are_left_out_but_counted() -> None:
    frame = hub_made(pools=("sms", "voice")).events_frame(SMS, 0)
    assert frame is not None
    told = body(frame.text)
    assert (told["from"], told["to"]) == (1, 10)
    assert [event["seq"] for event in told["events"]] == [2, 4, 6, 8, 10]


def test_a_place_the_ring_no_longer_reaches_is_left_to_the_table() -> None:
    assert hub_made(last=10, held=3).events_frame(ALL, 6) is None
    assert hub_made(last=10, held=3).events_frame(ALL, 7) is not None


def test_a_frame_is_encoded_once_for_all_who_stand_at_its_place() -> None:
    hub = hub_made()
    frame = hub.events_frame(SMS, 7)
    assert hub.events_frame(Filter(pools=frozenset({"sms"})), 7) is frame
    assert hub.events_frame(SMS, 6) is not frame
    hub.events_add(events_made(11, 11))
    fresh = hub.events_frame(SMS, 7)
    assert fresh is not frame
    assert fresh is not None
    assert fresh.to == 11


def test_encoded_frames_are_bounded() -> None:
    hub = hub_made(last=1000, held=1000)
    for place in range(ENCODED_KEPT * 2):
        hub.events_frame(ALL, place)
    assert len(hub._encoded) == ENCODED_KEPT


@given(
    counts=st.lists(st.integers(1, 700), min_size=1, max_size=5),
    place=st.integers(0, 20),
    pools=st.lists(st.sampled_from(["sms", "voice", None]), min_size=1, max_size=3),
)
def test_frames_follow_each_other_without_a_gap(
    counts: list[int], place: int, pools: list[str | None]
) -> None:
    hub = hub_made(last=20, held=20, pools=pools)
    for count in counts:
        hub.events_add(events_made(hub.ring.last + 1, hub.ring.last + count, pools=pools))
    seen: list[int] = []
    start = place
    while place < hub.ring.last:
        frame = hub.events_frame(SMS, place)
        assert frame is not None
        told = body(frame.text)
        assert told["from"] == place + 1
        assert 0 < told["to"] - place <= FRAME_EVENTS_MAX
        assert frame.matched == len(told["events"])
        seen += [event["seq"] for event in told["events"]]
        place = told["to"]
    assert seen == [
        n for n in range(start + 1, hub.ring.last + 1) if pools[n % len(pools)] == "sms"
    ]


def test_whatever_is_new_wakes_the_sockets() -> None:
    hub = hub_made()
    waker = hub.subscribe()
    for what in (
        lambda: hub.events_add(events_made(11, 11)),
        lambda: hub.state_add(as_of=1.0, pools={}),
        lambda: hub.store_lost("database"),
        lambda: hub.store_back("database"),
    ):
        waker.clear()
        what()
        assert waker.is_set()
    waker.clear()
    hub.events_add([])
    assert not waker.is_set()
    assert hub.clients == 1
    hub.unsubscribe(waker)
    hub.events_add(events_made(12, 12))
    assert not waker.is_set()
    assert hub.clients == 0


def test_state_is_merged_so_that_the_newest_row_of_an_instance_counts() -> None:
    hub = Hub()
    hub.state_add(
        as_of=1.0,
        pools={"sms": PoolDelta([["a", "up", 0.1, 5.0]], [["a", 1, 3, "x"]], [["a", "x"]])},
    )
    hub.state_add(
        as_of=2.0,
        pools={
            "sms": PoolDelta([["a", "down", None, None], ["b", "up", None, 1.0]], [], [["a", "xx"]])
        },
    )
    told = body(hub.state_frame(frozenset({"sms"}), 0))
    assert told == {
        "type": "state",
        "as_of": 2.0,
        "instances": [["a", "down", None, None], ["b", "up", None, 1.0]],
        "doubt": [["a", 1, 3, "x"]],
        "strips": [["a", "xxx"]],
    }


def test_strips_are_only_for_who_looks_at_a_pool() -> None:
    hub = Hub()
    hub.state_add(as_of=1.0, pools={"sms": PoolDelta([], [], [["a", "x"]])})
    assert body(hub.state_frame(None, 0))["strips"] == []
    assert body(hub.state_frame(frozenset({"sms"}), 0))["strips"] == [["a", "x"]]


def test_state_that_a_reader_has_or_does_not_want_makes_no_frame() -> None:
    hub = Hub()
    hub.state_add(as_of=1.0, pools={"sms": PoolDelta([["a", "up", None, None]])})
    assert hub.state_frame(None, hub.state_version) is None
    assert hub.state_frame(frozenset({"voice"}), 0) is None


def test_state_is_kept_for_a_few_seconds_only() -> None:
    hub = Hub()
    for number in range(1, STATE_FRAMES_KEPT * 2):
        hub.state_add(
            as_of=float(number), pools={"sms": PoolDelta([[str(number), "up", None, None]])}
        )
    assert len(body(hub.state_frame(None, 0))["instances"]) == STATE_FRAMES_KEPT


def test_the_status_names_the_stores_that_do_not_answer() -> None:
    hub = Hub()
    assert body(hub.status_frame()) == {
        "type": "status", "degraded": [], "since": None, "journal_behind_s": 0.0,
    }  # fmt: skip
    assert hub.store_lost("live_store")
    assert hub.store_lost("database")
    assert not hub.store_lost("database")
    told = body(hub.status_frame())
    assert told["degraded"] == ["database", "live_store"]
    assert told["since"] == hub.degraded["live_store"]
    assert hub.store_back("database")
    assert not hub.store_back("database")
    assert body(hub.status_frame())["degraded"] == ["live_store"]
    assert hub.status_version == 3


def test_events_out_of_turn_are_refused() -> None:
    hub = hub_made()
    with pytest.raises(ValueError, match="does not follow"):
        hub.events_add(events_made(12, 12))


def test_a_beat_reaches_a_reader_whose_pools_have_no_news() -> None:
    hub = Hub()
    hub.state_add(as_of=7.0, pools={}, beat=True)
    text = hub.state_frame(frozenset({"sms"}), 0)
    assert text is not None
    assert orjson.loads(text)["as_of"] == 7.0
    assert hub.state_frame(frozenset({"sms"}), hub.state_version) is None
