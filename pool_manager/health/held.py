"""Transitions waiting for the database: in order, bounded, coalesced per instance."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterable

from pool_manager.health.services import Observed

PER_INSTANCE = 8
BATCH_MAX = 1000


class Held:
    """Keeps the newest `PER_INSTANCE` transitions of each instance.

    When an instance has more, an edge of doubt gives way before a verdict: the verdicts are what
    must not be lost, and of those the newest.
    """

    def __init__(self) -> None:
        self._by_instance: dict[uuid.UUID, list[Observed]] = {}
        self._some = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._by_instance.values()))

    def add(self, seen: Iterable[Observed]) -> None:
        """Hold more."""
        for one in seen:
            held = self._by_instance.setdefault(one.instance, [])
            held.append(one)
            self._bound(held)
            self._some.set()

    def _bound(self, held: list[Observed]) -> None:
        if len(held) <= PER_INSTANCE:
            return
        minor = next((i for i, one in enumerate(held) if one.kind in {"doubt", "cleared"}), 0)
        del held[minor]
        self.dropped += 1

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109  # an upper bound, not a failure
        """Until something is held, at most `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._some.wait(), timeout=timeout)

    def take(self) -> list[Observed]:
        """Up to `BATCH_MAX` transitions, oldest first; instances are taken whole."""
        batch: list[Observed] = []
        for key in list(self._by_instance):
            batch.extend(self._by_instance.pop(key))
            if len(batch) >= BATCH_MAX:
                break
        if not self._by_instance:
            self._some.clear()
        return sorted(batch, key=lambda one: one.at)

    def give_back(self, batch: Iterable[Observed]) -> None:
        """The database did not take these: they stand before what came since."""
        newer, self._by_instance = self._by_instance, {}
        self.add(batch)
        for held in newer.values():
            self.add(held)
