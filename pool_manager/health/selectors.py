"""Reads of health: what is to be probed, and what the prober knows right now."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from pool_manager.fleet.kinds import Life
from pool_manager.fleet.models import Instance
from pool_manager.health.board import CELLS, STRIP_CELLS
from pool_manager.health.engine.wire import Target
from pool_manager.health.models import ProbeRun
from pool_manager.stores import live_store

PROBED = [life for life in Life if life not in {Life.TERMINATING, Life.TERMINATED}]
STATUS_KEY = "pm:prober"
STATUS_FRESH_S = 3.0
STRIP_AGE = timedelta(minutes=15)
STRIP_RUNS_MAX = 50_000


def probes_key(slug: str) -> str:
    """Where the live store keeps a pool's probe state."""
    return f"pm:probes:{slug}"


@dataclass(frozen=True, slots=True)
class ProbeState:
    """What the prober knows of one instance; `strip` is oldest first: '.' ok, 'x' failed, '?' unknown."""

    as_of: float | None
    ok: bool | None
    failing: int
    of: int
    reason: str
    latency_ms: float | None
    load: float | None
    tripwire: bool
    strip: str
    strip_reasons: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ProberStatus:
    """The prober's last sign; `age_s` None: none is known."""

    alive: bool
    age_s: float | None
    lag_ms: float | None
    targets: int
    probes: dict[str, dict[str, int]]
    stalls: int = 0


def targets_read() -> list[tuple[Target, str]]:
    """Every instance to be probed with its pool's slug, in one statement."""
    rows = Instance.objects.select_related("pool").filter(life__in=PROBED).order_by("pk")
    return [(_target(row), row.pool.slug) for row in rows.iterator(chunk_size=2000)]


def _target(row: Instance) -> Target:
    pool = row.pool
    return Target(
        id=str(row.pk),
        address=row.address,
        port=row.port,
        kind=pool.probe_kind,
        params=pool.probe_params,
        interval_ms=pool.interval_ms,
        timeout_ms=pool.timeout_ms,
        rise=pool.rise,
        fall=pool.fall,
        fast_ms=pool.fast_ms,
        recheck_ms=pool.recheck_ms,
        health=row.health,
        boot_id=row.boot_id,
    )


def strips_recent(*, now: datetime) -> dict[str, deque[tuple[str, str]]]:
    """Instance id → the newest cells of its history, (cell, reason), oldest first."""
    rows = (
        ProbeRun.objects.filter(last_at__gte=now - STRIP_AGE)
        .order_by("-started_at")
        .values_list("instance", "ok", "reason", "count")[:STRIP_RUNS_MAX]
    )
    strips: dict[str, deque[tuple[str, str]]] = {}
    for instance, ok, reason, count in reversed(rows):
        strip = strips.setdefault(str(instance), deque(maxlen=STRIP_CELLS))
        strip.extend([(CELLS[int(ok)], reason)] * min(count, STRIP_CELLS))
    return strips


def probe_states(pool_slugs: Sequence[str]) -> dict[str, ProbeState]:
    """Instance id → what the prober knows, of these pools; empty while the live store is away."""
    if not pool_slugs:
        return {}
    try:
        texts: Any = live_store.client().mget([probes_key(slug) for slug in pool_slugs])
    except live_store.Error:
        return {}
    states: dict[str, ProbeState] = {}
    for text in texts:
        if text:
            states.update({key: _state(row) for key, row in orjson.loads(text).items()})
    return states


def _state(row: list[Any]) -> ProbeState:
    failing, of, reason, latency_ms, load, tripwire, as_of, strip, reasons = row
    last = strip[-1:]
    return ProbeState(
        as_of=as_of,
        ok={".": True, "x": False}.get(last),
        failing=failing,
        of=of,
        reason=reason,
        latency_ms=latency_ms,
        load=load,
        tripwire=tripwire,
        strip=strip,
        strip_reasons=[(index, text) for index, text in reasons],
    )


def prober_status() -> ProberStatus:
    """Who watches: when the prober last said it probes."""
    nobody = ProberStatus(alive=False, age_s=None, lag_ms=None, targets=0, probes={})
    try:
        text: Any = live_store.client().get(STATUS_KEY)
    except live_store.Error:
        return nobody
    if not text:
        return nobody
    body = orjson.loads(text)
    age_s = max(0.0, time.time() - body["at"])
    return ProberStatus(
        alive=age_s < STATUS_FRESH_S,
        age_s=age_s,
        lag_ms=body["lag_ms"],
        targets=body["targets"],
        probes=body["probes"],
        stalls=body["stalls"],
    )
