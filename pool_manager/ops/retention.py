"""How old things leave: short batches, so that writers wait a few milliseconds at most."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

from pool_manager.core import clock
from pool_manager.health import services as health
from pool_manager.journal import services as journal

JOURNAL_BATCH = 500
HISTORY_BATCH = 500
BUDGET_S = 240.0  # the next run goes on where this one stopped
BREATH_S = 0.02  # between batches the write lock is free for others


def retention_run() -> dict[str, int]:
    """Delete what is past the limits; how many rows of each went."""
    now = clock.now()
    until = time.monotonic() + BUDGET_S

    def entries() -> int:
        return journal.trim_batch(
            now=now,
            keep_days=settings.JOURNAL_KEEP_DAYS,
            keep_entries=settings.JOURNAL_KEEP_ENTRIES,
            batch=JOURNAL_BATCH,
        )

    def runs() -> int:
        return health.history_trim_batch(
            now=now, keep_hours=settings.PROBE_HISTORY_KEEP_HOURS, batch=HISTORY_BATCH
        )

    return {"journal": _drain(entries, until), "probe_history": _drain(runs, until)}


def _drain(batch: Callable[[], int], until: float) -> int:
    total = 0
    while time.monotonic() < until:
        gone = batch()
        total += gone
        if not gone:
            break
        _breathe(BREATH_S)
    return total


_breathe = time.sleep
