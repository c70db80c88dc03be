"""The state of the fleet as pages get it: rows as arrays, named once, under one journal number."""

from __future__ import annotations

import time
from typing import Any

from pool_manager.fleet import selectors as fleet
from pool_manager.fleet.kinds import Health
from pool_manager.health import selectors as health
from pool_manager.journal import selectors as journal

FIELDS = (
    *("id", "name", "pool", "host", "zone", "address", "port", "life", "override", "health"),
    *("since", "reason", "failing", "of", "latency_ms", "load"),
)
POOL_FIELDS = (*FIELDS, "build", "pid", "tripwire", "strip", "strip_reasons")


def snapshot(*, pool: str | None = None) -> dict[str, Any]:
    """The fleet, or one pool with what only its own page shows.

    `seq` is read before the state, so that a reader who asks for what follows it misses nothing;
    what it then hears twice changes nothing.
    """
    as_of = round(time.time(), 3)
    seq = journal.bounds().seq
    rows = fleet.instances_living(pool=pool)
    states = health.probe_states(sorted({row.pool for row in rows}))
    detailed = pool is not None
    return {
        "seq": seq,
        "as_of": as_of,
        "prober": _prober(),
        "fields": POOL_FIELDS if detailed else FIELDS,
        "instances": [_row(row, states.get(str(row.id)), detailed=detailed) for row in rows],
    }


def _row(row: fleet.InstanceRow, state: health.ProbeState | None, *, detailed: bool) -> list[Any]:
    known: tuple[int, int, float | None, float | None] = (0, 0, None, None)
    reason = row.reason
    if state is not None:
        failing = _failing(row, state)
        reason = state.reason if failing else reason
        known = (failing, state.of, state.latency_ms, state.load)
    shown = [row.id, *row[1:10], row.since.timestamp(), reason, *known]
    if detailed:
        probes: tuple[Any, ...] = (None, "", []) if state is None else _probes(state)
        shown += [row.build, row.pid, *probes]
    return shown


def _probes(state: health.ProbeState) -> tuple[bool, str, list[tuple[int, str]]]:
    return state.tripwire, state.strip, state.strip_reasons


def _failing(row: fleet.InstanceRow, state: health.ProbeState) -> int:
    """How far a doubt has come; none where the verdict is younger, or is "down" already."""
    stale = state.as_of is None or state.as_of < row.since.timestamp()
    return 0 if stale or row.health == Health.DOWN else min(state.failing, state.of)


def _prober() -> dict[str, Any]:
    status = health.prober_status()
    return {"alive": status.alive, "age_s": status.age_s, "lag_ms": status.lag_ms}
