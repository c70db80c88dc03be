from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.live.ring import Ring
from tests.live.events_made import events_made


@given(
    last=st.integers(0, 50),
    size=st.integers(1, 12),
    growth=st.lists(st.integers(0, 8), max_size=8),
    after=st.integers(-3, 130),
    limit=st.integers(0, 20),
)
def test_a_ring_is_the_end_of_a_list(
    last: int, size: int, growth: list[int], after: int, limit: int
) -> None:
    ring = Ring(last=last, size=size)
    told: list[int] = []
    for count in growth:
        fresh = events_made(ring.last + 1, ring.last + count)
        ring.extend(fresh)
        told.extend(event["seq"] for event in fresh)
    held = told[-size:]
    assert ring.last == (told[-1] if told else last)
    assert ring.first == (held[0] if held else last + 1)
    found = ring.slice(after, limit=limit)
    if after + 1 < ring.first:
        assert found is None
    else:
        assert found is not None
        assert [event["seq"] for event in found] == [seq for seq in held if seq > after][:limit]


@pytest.mark.parametrize("wrong", [3, 4, 6])
def test_a_number_out_of_turn_is_refused(wrong: int) -> None:
    ring = Ring(last=3)
    ring.extend(events_made(4, 4))
    with pytest.raises(ValueError, match=f"number {wrong} does not follow 4"):
        ring.extend(events_made(wrong, wrong))
    assert (ring.first, ring.last) == (4, 4)
