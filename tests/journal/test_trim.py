from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pool_manager.journal.models import Entry
from pool_manager.journal.selectors import bounds
from pool_manager.journal.services import trim_batch
from tests.journal.conftest import NOW

Aged = Callable[[Sequence[float]], None]


def kept() -> list[int]:
    return list(Entry.objects.order_by("seq").values_list("seq", flat=True))


@pytest.mark.parametrize(
    ("ages", "keep_days", "keep_entries", "batch", "gone"),
    [
        pytest.param([], 30, 100, 10, 0, id="an empty journal"),
        pytest.param([3, 2, 1], 30, 100, 10, 0, id="nothing to do"),
        pytest.param([40, 35, 1], 30, 100, 10, 2, id="by age"),
        pytest.param([40, 35, 31], 30, 100, 10, 3, id="all too old"),
        pytest.param([4, 3, 2, 1], 30, 3, 10, 1, id="by count"),
        pytest.param([40, 35, 2, 1], 30, 1, 10, 3, id="by both, count reaches further"),
        pytest.param([40, 35, 34, 1], 30, 3, 10, 3, id="by both, age reaches further"),
        pytest.param([40, 40, 40, 40], 30, 100, 3, 3, id="a batch is bounded, by age"),
        pytest.param([1, 1, 1, 1, 1], 30, 1, 2, 2, id="a batch is bounded, by count"),
        pytest.param([40, 1, 40, 1], 30, 100, 10, 1, id="an old one behind a young one stays"),
        pytest.param([1, 40, 40], 30, 100, 10, 0, id="a young one in front keeps all"),
    ],
)
def test_one_batch(
    aged: Aged, ages: list[float], keep_days: float, keep_entries: int, batch: int, gone: int
) -> None:
    aged(ages)
    trimmed = trim_batch(now=NOW, keep_days=keep_days, keep_entries=keep_entries, batch=batch)
    assert trimmed == gone
    assert kept() == list(range(gone + 1, len(ages) + 1))
    assert (bounds().oldest, bounds().seq) == (gone + 1, len(ages))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    ages=st.lists(st.integers(0, 60), max_size=25),
    keep_entries=st.integers(1, 30),
    batch=st.integers(1, 12),
)
@example(ages=[60] * 20, keep_entries=1, batch=1)
def test_batches_end_with_the_limits_met_and_no_hole(
    aged: Aged, ages: list[int], keep_entries: int, batch: int
) -> None:
    aged(ages)
    young = [age <= 30 for age in ages]
    rounds = 0
    while gone := trim_batch(now=NOW, keep_days=30, keep_entries=keep_entries, batch=batch):
        assert gone <= batch
        assert kept() == list(range(bounds().oldest, len(ages) + 1))
        rounds += 1
        assert rounds <= len(ages)
    first_young = young.index(True) + 1 if any(young) else len(ages) + 1
    by_count = max(1, len(ages) - keep_entries + 1)
    oldest = max(first_young, by_count)
    while oldest <= len(ages) and not young[oldest - 1]:
        oldest += 1
    assert bounds().oldest == oldest


def test_two_trims_at_once_leave_no_hole(aged: Aged) -> None:
    """One looks, the other trims, then the first goes on with what it saw."""
    aged([31.5, 31.5, 30.5, 1])
    once: list[int] = []
    began = threading.Event()

    def between(execute: Callable[..., object], sql: str, *rest: object) -> object:
        answer = execute(sql, *rest)
        if "MIN(" in sql and not began.is_set():
            began.set()
            once.append(
                trim_batch(now=NOW - dt.timedelta(days=1), keep_days=30, keep_entries=99, batch=9)
            )
        return answer

    with connection.execute_wrapper(between):
        trim_batch(now=NOW, keep_days=30, keep_entries=99, batch=9)
    assert once == [2]
    assert kept()[0] == bounds().oldest
