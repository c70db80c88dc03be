from __future__ import annotations

import asyncio
import datetime as dt
import uuid

from hypothesis import given
from hypothesis import strategies as st

from pool_manager.health.held import BATCH_MAX, PER_INSTANCE, Held
from pool_manager.health.services import Observed

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)
VERDICTS = {"up", "down"}


def seen(kind: str, second: float, *, instance: uuid.UUID = ONE) -> Observed:
    return Observed(instance, kind, START + dt.timedelta(seconds=second))


def test_what_is_held_comes_out_in_the_order_of_time() -> None:
    held = Held()
    held.add([seen("doubt", 1), seen("doubt", 2, instance=TWO), seen("down", 3)])
    assert [one.kind for one in held.take()] == ["doubt", "doubt", "down"]
    assert held.take() == []
    assert len(held) == 0


def test_doubt_gives_way_to_verdicts() -> None:
    held = Held()
    held.add(seen(kind, n) for n, kind in enumerate(["doubt", "down", "up", "cleared"] * 3))
    kept = held.take()
    assert len(kept) == PER_INSTANCE
    assert [one.kind for one in kept].count("down") == 3
    assert [one.kind for one in kept].count("up") == 3
    assert held.dropped == 4


@given(kinds=st.lists(st.sampled_from(["doubt", "cleared", "up", "down", "boot"]), max_size=60))
def test_the_newest_verdicts_survive_whatever_comes(kinds: list[str]) -> None:
    held = Held()
    held.add(seen(kind, n) for n, kind in enumerate(kinds))
    assert len(held) + held.dropped == len(kinds)
    kept = held.take()
    assert len(kept) <= PER_INSTANCE
    lasting = [seen(kind, n) for n, kind in enumerate(kinds) if kind in VERDICTS | {"boot"}]
    assert [one for one in kept if one in lasting] == lasting[-PER_INSTANCE:]


def test_what_is_given_back_stands_before_what_came_since() -> None:
    held = Held()
    held.add([seen("down", 1)])
    batch = held.take()
    held.add([seen("up", 2)])
    held.give_back(batch)
    assert [one.kind for one in held.take()] == ["down", "up"]


def test_given_back_again_and_again_it_stays_bounded() -> None:
    held = Held()
    for second in range(100):
        held.add([seen("down" if second % 2 else "up", second)])
        held.give_back(held.take())
    assert [one.at for one in held.take()] == [seen("up", n).at for n in range(92, 100)]


def test_a_batch_is_bounded_and_leaves_the_rest() -> None:
    held = Held()
    held.add(seen("down", n, instance=uuid.UUID(int=n)) for n in range(BATCH_MAX + 5))
    assert len(held.take()) == BATCH_MAX
    assert len(held.take()) == 5


async def test_whoever_waits_is_woken_when_something_is_held() -> None:
    held = Held()
    await held.wait(timeout=0.01)
    waiting = asyncio.create_task(held.wait(timeout=30))
    await asyncio.sleep(0)
    held.add([seen("down", 1)])
    await asyncio.wait_for(waiting, timeout=5)
    held.take()
    again = asyncio.create_task(held.wait(timeout=30))
    held.give_back([seen("down", 1)])
    await asyncio.wait_for(again, timeout=5)
