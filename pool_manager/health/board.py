"""What the prober knows of every instance right now, and what of it is new for readers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pool_manager.health.engine.wire import ResultRow, SignalRow

STRIP_CELLS = 60
LATENCY_STEP = 0.2  # a latency is news when it moved by a fifth
LATENCY_STEP_MS = 0.5

CELLS = {1: ".", 0: "x", None: "?"}


@dataclass(slots=True)
class Known:
    """One instance as the prober sees it."""

    pool: str
    health: str
    of: int
    failing: int = 0
    reason: str = ""
    latency_ms: float | None = None
    load: float | None = None
    tripwire: bool = True
    keeps: bool = True  # the kind keeps its connection at all
    at: float = 0.0
    strip: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=STRIP_CELLS))
    shown: tuple[Any, ...] = ()
    doubt_shown: tuple[Any, ...] = (0, 0, "")
    fresh: str = ""

    def as_row(self) -> list[Any]:
        """What the live store keeps for pages; reasons are listed beside the strip's cells."""
        reasons = [[index, reason] for index, (_, reason) in enumerate(self.strip) if reason]
        return [
            self.failing,
            self.of,
            self.reason,
            self.latency_ms,
            self.load,
            self.tripwire,
            self.at,
            "".join(cell for cell, _ in self.strip),
            reasons,
        ]


class Board:
    """Takes the engine's reports in, gives deltas and whole pools out."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._dirty: set[str] = set()

    def targets_set(self, targets: Iterable[tuple[str, str, str, int, str]]) -> None:
        """What is probed: (id, pool, health, fall, kind); what is no longer named is forgotten."""
        named = {}
        for key, pool, health, fall, kind in targets:
            known = self._known.get(key) or Known(pool=pool, health=health, of=fall)
            known.pool, known.of = pool, fall
            known.keeps = kind == "http"
            known.tripwire = known.tripwire and known.keeps
            named[key] = known
        self._known = named
        self._dirty &= named.keys()

    def strips_seed(self, strips: Mapping[str, Iterable[tuple[str, str]]]) -> None:
        """Cells from before this process started, for instances that have none yet."""
        for key, cells in strips.items():
            known = self._known.get(key)
            if known is not None and not known.strip:
                known.strip.extend(cells)

    def verdict(self, key: str) -> tuple[str, str]:
        """Health and reason as last judged by the engine; unknown for what it does not know."""
        known = self._known.get(key)
        return (known.health, known.reason) if known else ("unknown", "")

    def tripwire_reset(self, key: str) -> None:
        """Its settings changed: the tripwire is on until the engine says otherwise."""
        known = self._known.get(key)
        if known is not None:
            known.tripwire = known.keeps

    def signals_add(self, signals: Iterable[SignalRow]) -> None:
        """Verdict changes."""
        for signal in signals:
            known = self._known.get(signal.id)
            if known is None:
                continue
            self._dirty.add(signal.id)
            if signal.kind in {"up", "down"}:
                known.health = signal.kind
            elif signal.kind == "tripwire_off":
                known.tripwire = False

    def results_add(self, results: Iterable[ResultRow]) -> None:
        """Probe outcomes, run-length."""
        for row in results:
            known = self._known.get(row.id)
            if known is None:
                continue
            self._dirty.add(row.id)
            known.at = row.at
            reason = "" if row.ok else row.reason
            cells = CELLS[row.ok] * min(row.times, STRIP_CELLS)
            known.strip.extend((cell, reason) for cell in cells)
            known.fresh = (known.fresh + cells)[-STRIP_CELLS:]
            if row.ok is None:
                continue
            known.failing = 0 if row.ok else known.failing + row.times
            known.reason = reason
            known.latency_ms = row.latency_ms
            known.load = row.load

    def deltas(self) -> dict[str, dict[str, list[list[Any]]]]:
        """What is new since the last call, by pool: the socket's state frames are made of it."""
        pools: dict[str, dict[str, list[list[Any]]]] = {}
        for key in self._dirty:
            known = self._known[key]
            delta = pools.setdefault(known.pool, {"instances": [], "doubt": [], "strips": []})
            latency = None if known.latency_ms is None else round(known.latency_ms, 2)
            if _is_news(known.shown, (known.health, known.load, latency)):
                known.shown = (known.health, known.load, latency)
                delta["instances"].append([key, *known.shown])
            failing = min(known.failing, known.of) if known.health != "down" else 0
            doubt = (failing, known.of, known.reason)
            if doubt != known.doubt_shown:
                known.doubt_shown = doubt
                delta["doubt"].append([key, *doubt])
            if known.fresh:
                delta["strips"].append([key, known.fresh])
                known.fresh = ""
        self._dirty.clear()
        return pools

    def pools(self, *, wall: float) -> Mapping[str, dict[str, list[Any]]]:
        """Every pool whole; `wall` is what to add to monotonic moments to get Unix time."""
        pools: dict[str, dict[str, list[Any]]] = {}
        for key, known in self._known.items():
            row = known.as_row()
            row[6] = known.at + wall if known.at else None
            pools.setdefault(known.pool, {})[key] = row
        return pools


def _is_news(shown: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    if not shown or shown[0] != now[0] or (shown[2] is None) != (now[2] is None):
        return True
    if abs((now[1] or 0) - (shown[1] or 0)) >= 0.05:  # noqa: PLR2004  # a twentieth of full load
        return True
    if now[2] is None:
        return False
    moved = abs(now[2] - shown[2])
    return bool(moved >= LATENCY_STEP_MS and moved >= LATENCY_STEP * shown[2])
