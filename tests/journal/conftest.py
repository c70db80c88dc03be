"""Entries as the journal's tests need them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from pool_manager.journal.models import Entry, Head

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def aged(db: None) -> Callable[[Sequence[float]], None]:
    """Writes entries numbered from 1 whose ages in days are given."""
    del db  # wanted for what it opens

    def write(ages: Sequence[float]) -> None:
        Entry.objects.all().delete()
        Entry.objects.bulk_create(
            Entry(
                seq=seq,
                at=NOW - dt.timedelta(days=age),
                kind="operator.noted",
                severity="info",
                message=f"{age} days old",
            )
            for seq, age in enumerate(ages, start=1)
        )
        Head.objects.update_or_create(id=1, defaults={"seq": len(ages), "oldest": 1})

    return write
