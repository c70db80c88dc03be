"""What waits to be told to the parent: never more than a parent that stopped reading deserves.

Results are run-length per target. When too much waits, results keep only each target's last run,
and signals only the newest of each sort for each target: the parent then still ends up right.
"""

from __future__ import annotations

from pool_manager.health.engine.wire import BATCH, ResultRow, SignalRow

WAITING_MAX = 20_000
_SORTS = {"up": "verdict", "down": "verdict", "doubt": "doubt", "cleared": "doubt"}


class _Run:
    __slots__ = ("at", "id", "latency_ms", "load", "ok", "reason", "times")

    def __init__(self, target_id: str, *, ok: bool | None, reason: str) -> None:
        self.id = target_id
        self.ok = ok
        self.reason = reason
        self.times = 0
        self.at = 0.0
        self.latency_ms: float | None = None
        self.load: float | None = None

    def row(self) -> ResultRow:
        ok = None if self.ok is None else int(self.ok)
        return ResultRow(self.id, ok, self.reason, self.times, self.at, self.latency_ms, self.load)


class Outbox:
    """Signals and results in the order they happened."""

    def __init__(self) -> None:
        self._signals: list[SignalRow] = []
        self._runs: list[_Run] = []
        self._last: dict[str, _Run] = {}
        self._signals_max = self._runs_max = WAITING_MAX
        self._merged = 0

    @property
    def urgent(self) -> bool:
        """Whether there are signals, which do not wait."""
        return bool(self._signals)

    def __bool__(self) -> bool:
        return bool(self._signals or self._runs)

    def signal(self, row: SignalRow) -> None:
        """Something changed."""
        self._signals.append(row)
        if len(self._signals) > self._signals_max:
            self._signals = _newest(self._signals)
            self._signals_max = max(WAITING_MAX, 2 * len(self._signals))

    def result(
        self,
        target_id: str,
        *,
        ok: bool | None,
        reason: str,
        at: float,
        latency_ms: float | None,
        load: float | None,
    ) -> None:
        """A probe ended."""
        run = self._last.get(target_id)
        if run is None or run.ok is not ok or run.reason != reason:
            run = self._last[target_id] = _Run(target_id, ok=ok, reason=reason)
            self._runs.append(run)
            if len(self._runs) > self._runs_max:
                self._merge()
        run.times += 1
        run.at = at
        run.latency_ms = latency_ms
        run.load = load

    def forget(self, target_id: str) -> None:
        """The target is gone, and so is the news about it."""
        if self._last.pop(target_id, None) is not None:
            self._runs = [run for run in self._runs if run.id != target_id]
        self._signals = [row for row in self._signals if row.id != target_id]

    def take(self) -> tuple[tuple[SignalRow, ...], tuple[ResultRow, ...], int]:
        """The oldest signals and results, as many as fit a line, and how many results were merged."""
        signals, self._signals = self._signals[:BATCH], self._signals[BATCH:]
        runs, self._runs = self._runs[:BATCH], self._runs[BATCH:]
        for run in runs:
            if self._last.get(run.id) is run:
                del self._last[run.id]
        merged, self._merged = self._merged, 0
        return tuple(signals), tuple(run.row() for run in runs), merged

    def _merge(self) -> None:
        kept = list(self._last.values())
        before = sum(run.times for run in self._runs)
        self._merged += before - sum(run.times for run in kept)
        self._runs = sorted(kept, key=lambda run: run.at)
        self._runs_max = max(WAITING_MAX, 2 * len(kept))


def _newest(rows: list[SignalRow]) -> list[SignalRow]:
    newest: dict[tuple[str, str], SignalRow] = {}
    for row in rows:
        key = (row.id, _SORTS.get(row.kind, row.kind))
        newest.pop(key, None)  # so that it moves to the end
        newest[key] = row
    return list(newest.values())
