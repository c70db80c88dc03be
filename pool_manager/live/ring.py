"""The newest journal entries in memory, as the socket shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

Event = dict[str, Any]


class Ring:
    """At most `size` contiguous events.

    Invariant: `_events` holds exactly the numbers `first`..`last`; when empty `first == last + 1`.
    """

    def __init__(self, *, last: int, size: int = 20_000) -> None:
        self._events: deque[Event] = deque(maxlen=size)
        self.last = last

    @property
    def first(self) -> int:
        """The oldest number held."""
        return self.last - len(self._events) + 1

    def extend(self, events: Sequence[Event]) -> None:
        """Append events that follow `last` without a gap."""
        for event in events:
            if event["seq"] != self.last + 1:
                raise ValueError(f"number {event['seq']} does not follow {self.last}")
            self._events.append(event)
            self.last = event["seq"]

    def slice(self, after: int, *, limit: int) -> list[Event] | None:
        """Up to `limit` events following `after`; None when the ring no longer reaches back there."""
        if after + 1 < self.first:
            return None
        start = after + 1 - self.first
        stop = min(start + limit, len(self._events))
        return [self._events[index] for index in range(start, stop)]
