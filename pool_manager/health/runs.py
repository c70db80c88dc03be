"""Probe outcomes as runs: what of the history is to be written, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pool_manager.health.engine.wire import ResultRow

REWRITE_S = 300.0  # a run that goes on is written again this often


@dataclass(slots=True)
class Run:
    """`count` equal outcomes in a row of one instance; moments are monotonic seconds."""

    instance: str
    ok: bool
    reason: str
    started: float
    last: float
    count: int
    latency_ms: float | None
    written: float = -REWRITE_S
    started_wall: float | None = None  # Unix time; half of its row's key, so it is settled once


class Runs:
    """Collects outcomes; `take` gives the rows to be written.

    Invariant: at most one open run an instance; `_ended` has what ended since the last `take`.
    """

    def __init__(self, *, ended_max: int = 50_000) -> None:
        self._open: dict[str, Run] = {}
        self._ended: list[Run] = []
        self._ended_max = ended_max
        self.lost = 0  # runs given up because the database did not take any for long

    def add(self, results: Iterable[ResultRow]) -> None:
        """Outcomes in order."""
        for row in results:
            if row.ok is None:
                continue
            ok, reason = bool(row.ok), "" if row.ok else row.reason
            run = self._open.get(row.id)
            if run is not None and run.ok == ok and run.reason == reason:
                run.count += row.times
                run.last, run.latency_ms = row.at, row.latency_ms
                continue
            if run is not None:
                self._end(run)
            self._open[row.id] = Run(row.id, ok, reason, row.at, row.at, row.times, row.latency_ms)

    def _end(self, run: Run) -> None:
        if len(self._ended) >= self._ended_max:
            self.lost += 1
            return
        self._ended.append(run)

    def forget(self, keep: Iterable[str]) -> None:
        """End the runs of instances that are no longer probed."""
        for key in self._open.keys() - set(keep):
            self._end(self._open.pop(key))

    def take(self, *, now: float, last: bool = False) -> list[Run]:
        """Runs that ended, began, or were written long ago; call `give_back` if writing failed.

        `last`: all that are open too, since nobody will ask again.
        """
        due = [run for run in self._open.values() if last or now - run.written >= REWRITE_S]
        for run in due:
            run.written = now
        ended, self._ended = self._ended, []
        return ended + due

    def give_back(self, runs: Iterable[Run]) -> None:
        """The database did not take these."""
        ended = {id(run) for run in self._ended}  # it may have ended while it was written
        for run in runs:
            if self._open.get(run.instance) is run:
                run.written = -REWRITE_S
            elif id(run) not in ended:
                self._end(run)
