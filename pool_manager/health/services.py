"""Writes of health: verdicts with their entries, and the probe history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pool_manager.fleet.kinds import Health
from pool_manager.fleet.models import Instance
from pool_manager.fleet.services import HealthChange, health_apply, instance_booted
from pool_manager.health.models import ProbeRun
from pool_manager.journal import services as journal

REASON_MAX = 300


@dataclass(frozen=True, slots=True)
class Observed:
    """What the prober saw change: up, down, doubt, cleared, boot or restarted."""

    instance: uuid.UUID
    kind: str
    at: datetime
    reason: str = ""
    count: int = 0
    of: int = 0
    latency_ms: float | None = None
    boot_id: str = ""


def observed_write(
    *, batch: Sequence[Observed], actor: str, doubts: dict[uuid.UUID, int] | None = None
) -> int:
    """Store and journal a batch in one transaction; returns the newest number, 0 if nothing was new.

    1. Entries follow the order of what happened; an instance deleted meanwhile is left out.
    2. up and down are compare-and-set: what the row already says makes no entry.
    3. The first failed probe of a doubt is the cause of what ends it. `doubts` has the numbers of those
       that are open, from batch to batch; it is brought up to date when the batch is committed.
    """
    told = Doubts({} if doubts is None else doubts)
    with journal.write(actor=actor, relaxed=True) as tx:
        wanted = {seen.instance for seen in batch}
        rows = Instance.objects.select_related("pool", "host__zone").in_bulk(list(wanted))
        for seen in sorted(batch, key=lambda seen: seen.at):
            row = rows.get(seen.instance)
            if row is not None:
                _one(tx, seen, row, told)
    told.commit()
    return tx.seq


class Doubts:
    """Which doubts are open; changes count once the transaction is through."""

    def __init__(self, committed: dict[uuid.UUID, int]) -> None:
        self._committed = committed
        self._opened: dict[uuid.UUID, journal.Recorded] = {}
        self._ended: set[uuid.UUID] = set()

    def begin(self, key: uuid.UUID, entry: journal.Recorded) -> None:
        """A probe failed for the first time."""
        self._opened[key] = entry
        self._ended.discard(key)

    def end(self, key: uuid.UUID) -> journal.Recorded | int | None:
        """The entry that began the doubt, to be the cause of what ends it."""
        opened = self._opened.pop(key, None)
        if opened is not None:
            return opened
        known = None if key in self._ended else self._committed.get(key)
        self._ended.add(key)
        return known

    def commit(self) -> None:
        """The entries have their numbers."""
        for key in self._ended:
            self._committed.pop(key, None)
        for key, entry in self._opened.items():
            if entry.seq is not None:
                self._committed[key] = entry.seq


def _one(tx: journal.Write, seen: Observed, row: Instance, doubts: Doubts) -> None:
    if seen.kind in {"up", "down"}:
        _verdict(tx, seen, row, doubts)
    elif seen.kind == "doubt":
        entry = tx.record(
            "probe.failed",
            f"{row.name}: {seen.reason} ({seen.count}/{seen.of})",
            at=seen.at,
            data={"reason": seen.reason, "count": seen.count, "of": seen.of},
            **_names(row),
        )
        doubts.begin(row.pk, entry)
    elif seen.kind == "cleared":
        tx.record(
            "probe.recovered",
            f"{row.name} answers again after {seen.count} failed",
            at=seen.at,
            data={"count": seen.count, "latency_ms": seen.latency_ms},
            cause=doubts.end(row.pk),
            **_names(row),
        )
    elif seen.kind in {"boot", "restarted"}:
        _booted(tx, seen, row)


def _verdict(tx: journal.Write, seen: Observed, row: Instance, doubts: Doubts) -> None:
    change = HealthChange(row.pk, Health(seen.kind), seen.reason, seen.at)
    was = health_apply(changes=[change]).get(row.pk)
    doubt = doubts.end(row.pk)
    if was is None:
        return
    data: dict[str, object] = {"reason": seen.reason, "count": seen.count, "was": was}
    if seen.kind == "down":
        message = f"{row.name} down: {seen.reason} ×{seen.count}"  # noqa: RUF001  # a multiplication sign
    else:
        message = f"{row.name} up after {seen.count} good probe{'s' if seen.count != 1 else ''}"
        data["latency_ms"] = seen.latency_ms
    tx.record(
        f"instance.{seen.kind}",
        message,
        at=seen.at,
        data=data,
        cause=doubt if seen.kind == "down" else None,
        **_names(row),
    )


def _booted(tx: journal.Write, seen: Observed, row: Instance) -> None:
    was = instance_booted(instance=row.pk, boot_id=seen.boot_id)
    if not was:
        return  # the same process, or the first one we hear of
    tx.record(
        "instance.restarted",
        f"{row.name} is another process than before",
        at=seen.at,
        data={"boot_id": seen.boot_id, "was": was},
        **_names(row),
    )


def _names(row: Instance) -> journal.Names:
    return {
        "pool": row.pool.slug,
        "instance": row.name,
        "host": row.host.name,
        "zone": row.host.zone.name,
    }


def control_note(*, kind: str, message: str, data: dict[str, object], actor: str) -> None:
    """Journal something about ourselves."""
    with journal.write(actor=actor) as tx:
        tx.record(kind, message, data=data)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of equal probe outcomes, in wall-clock time."""

    instance: uuid.UUID
    started_at: datetime
    last_at: datetime
    ok: bool
    reason: str
    count: int
    latency_ms: float | None


def history_write(*, runs: Iterable[RunRow]) -> None:
    """Insert runs, or bring those that were written before up to date. No journal entry."""
    rows = [
        ProbeRun(
            instance=run.instance,
            started_at=run.started_at,
            last_at=run.last_at,
            ok=run.ok,
            reason=run.reason[:REASON_MAX],
            count=run.count,
            latency_ms=run.latency_ms,
        )
        for run in runs
    ]
    ProbeRun.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["instance", "started_at"],
        update_fields=["last_at", "count", "latency_ms"],
    )


def history_trim_batch(*, now: datetime, keep_hours: float, batch: int) -> int:
    """Delete at most `batch` runs that ended before the limit; returns how many."""
    limit = now - timedelta(hours=keep_hours)
    old = list(
        ProbeRun.objects.filter(last_at__lt=limit)
        .order_by("last_at")
        .values_list("pk", flat=True)[:batch]
    )
    deleted, _ = ProbeRun.objects.filter(pk__in=old).delete()
    return deleted
