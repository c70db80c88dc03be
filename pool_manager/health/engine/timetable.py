"""When to wake which call: a heap whose stale entries are skipped."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something woken at times; raising `turn` makes all its earlier entries stale."""

    turn: int


W = TypeVar("W", bound=Timed)

SLACK = 256


class Timetable(Generic[W]):
    """Entries (moment, item). Invariant: at most a few stale entries for each valid one."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, W]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, item: W) -> None:
        """Wake `item` at `when`, unless its `turn` moves on before."""
        self._serial += 1  # keeps equal moments in order and items out of the comparison
        heapq.heappush(self._heap, (when, self._serial, item.turn, item))

    def next_at(self) -> float | None:
        """The moment of the next valid entry."""
        heap = self._heap
        while heap and heap[0][3].turn != heap[0][2]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> W | None:
        """An item whose moment has come."""
        when = self.next_at()
        if when is None or when > now:
            return None
        return heapq.heappop(self._heap)[3]

    def compact(self, valid: int) -> None:
        """Throw stale entries away once they outnumber the valid ones by far."""
        if len(self._heap) > 8 * valid + SLACK:
            self._heap = [entry for entry in self._heap if entry[3].turn == entry[2]]
            heapq.heapify(self._heap)
