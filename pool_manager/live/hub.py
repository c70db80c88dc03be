"""What one web process knows of the feed, shared by all its sockets.

The tailer puts events, probe state and the health of the stores in; every socket keeps only its
own place (a journal number and a state version) and asks for the next frame. There is no queue
per client, so a slow one costs memory to nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pool_manager.core import clock
from pool_manager.live.ring import Event, Ring
from pool_manager.live.rules import Filter

FRAME_EVENTS_MAX = 1000
STATE_FRAMES_KEPT = 50  # five seconds at ten frames a second
ENCODED_KEPT = 256


@dataclass(frozen=True, slots=True)
class PoolDelta:
    """What changed in one pool's probe state; lists of rows as the socket sends them."""

    instances: list[list[Any]] = field(default_factory=list)
    doubt: list[list[Any]] = field(default_factory=list)
    strips: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StateChange:
    """One message of the prober's, numbered by this process."""

    version: int
    as_of: float
    pools: Mapping[str, PoolDelta]
    beat: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of journal numbers ready for the wire; `matched` of its events passed the filter."""

    to: int
    matched: int
    text: str


class Hub:
    """Invariant: all methods run on one event loop; nothing here waits or does I/O."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.ring = Ring(last=0)
        self.oldest = 1
        self.ready = False  # the journal was read at least once
        self.clients = 0
        self.degraded: dict[str, str] = {}  # store -> since, RFC 3339
        self.status_version = 0
        self.behind_s = 0.0
        self.state_version = 0
        self._state: deque[StateChange] = deque(maxlen=STATE_FRAMES_KEPT)
        self._encoded: OrderedDict[tuple[Filter, int, int], Frame] = OrderedDict()
        self._wakers: set[asyncio.Event] = set()

    def subscribe(self) -> asyncio.Event:
        """An event that is set whenever anything is new; give it back with `unsubscribe`."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        self.clients += 1
        return waker

    def unsubscribe(self, waker: asyncio.Event) -> None:
        """Forget a socket's waker."""
        self._wakers.discard(waker)
        self.clients -= 1

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.set()

    def start_at(self, *, last: int, oldest: int, events: Sequence[Event]) -> None:
        """Begin (again) with the newest `events`, the last of which is number `last`."""
        ring = Ring(last=last - len(events))
        ring.extend(events)
        self.ring, self.oldest, self.ready = ring, oldest, True
        self._wake()

    def events_add(self, events: Sequence[Event]) -> None:
        """New journal entries, contiguous with what is here."""
        if events:
            self.ring.extend(events)
            self._wake()

    def state_add(
        self, *, as_of: float, pools: Mapping[str, PoolDelta], beat: bool = False
    ) -> None:
        """New probe state of some pools; a `beat` goes to every reader, news for it or not."""
        self.state_version += 1
        self._state.append(StateChange(self.state_version, as_of, pools, beat=beat))
        self._wake()

    def store_lost(self, name: str) -> bool:
        """Note that a store stopped answering; True if that is new."""
        if name in self.degraded:
            return False
        self.degraded[name] = clock.now().isoformat(timespec="milliseconds")
        self._status_changed()
        return True

    def store_back(self, name: str) -> bool:
        """Note that a store answers again; True if that is new."""
        if self.degraded.pop(name, None) is None:
            return False
        self._status_changed()
        return True

    def _status_changed(self) -> None:
        self.status_version += 1
        self._wake()

    def events_frame(self, wanted: Filter, after: int) -> Frame | None:
        """The frame that follows `after`, encoded once per filter and place; None: read the table."""
        key = (wanted, after, self.ring.last)
        cached = self._encoded.get(key)
        if cached is not None:
            return cached
        events = self.ring.slice(after, limit=FRAME_EVENTS_MAX)
        if events is None:
            return None
        to = events[-1]["seq"] if events else after
        frame = frame_encode(events, wanted, start=after + 1, to=to)
        self._encoded[key] = frame
        if len(self._encoded) > ENCODED_KEPT:
            self._encoded.popitem(last=False)
        return frame

    def state_frame(self, pools: frozenset[str] | None, after: int) -> str | None:
        """State that is newer than version `after`, merged; None when nothing the reader wants is new."""
        merged = PoolDelta()
        as_of = 0.0
        for change in self._state:
            if change.version <= after:
                continue
            if change.beat:
                as_of = change.as_of
            for delta in _wanted(change.pools, pools):
                as_of = change.as_of
                merged.instances.extend(delta.instances)
                merged.doubt.extend(delta.doubt)
                if pools is not None:  # a cell a second each: only for who looks at a pool
                    merged.strips.extend(delta.strips)
        if not as_of:
            return None
        return orjson.dumps(
            {
                "type": "state",
                "as_of": as_of,
                "instances": _newest(merged.instances),
                "doubt": _newest(merged.doubt),
                "strips": _joined(merged.strips),
            }
        ).decode()

    def status_frame(self) -> str:
        """Which stores do not answer, and since when."""
        since = min(self.degraded.values(), default=None)
        return orjson.dumps(
            {
                "type": "status",
                "degraded": sorted(self.degraded),
                "since": since,
                "journal_behind_s": round(self.behind_s, 3),
            }
        ).decode()


def frame_encode(events: Sequence[Event], wanted: Filter, *, start: int, to: int) -> Frame:
    """Encode a run of numbers; those the filter leaves out are counted by from..to."""
    kept = [event for event in events if wanted.wants(event)]
    text = orjson.dumps({"type": "events", "from": start, "to": to, "events": kept})
    return Frame(to=to, matched=len(kept), text=text.decode())


def _wanted(deltas: Mapping[str, PoolDelta], pools: frozenset[str] | None) -> Iterable[PoolDelta]:
    return (delta for slug, delta in deltas.items() if pools is None or slug in pools)


def _newest(rows: list[list[Any]]) -> list[list[Any]]:
    """The last row of each id, since later ones replace earlier ones."""
    return list({row[0]: row for row in rows}.values())


def _joined(rows: list[list[Any]]) -> list[list[str]]:
    """Strips append, so those of one id are joined in order."""
    strips: dict[str, str] = {}
    for instance, cells in rows:
        strips[instance] = strips.get(instance, "") + cells
    return [[instance, cells] for instance, cells in strips.items()]
