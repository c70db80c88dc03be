"""Periodic work: each job's body, how it is enqueued, and the clock's table."""

from __future__ import annotations

from collections.abc import Callable

from pool_manager.fleet import services as fleet
from pool_manager.ops.retention import retention_run
from pool_manager.ops.rules import Periodic
from pool_manager.stores.rq_jobs import enqueue_once


def retention_job() -> dict[str, int]:
    """Delete what is past its limit."""
    return retention_run()


def retention_enqueue(*, bucket: int, keep_s: int) -> bool:
    """Enqueue the retention of this period; False if it is already there."""
    return enqueue_once("slow", retention_job, job_id=f"retention-{bucket}", keep_s=keep_s)


def overrides_job() -> int:
    """End overrides whose time is over."""
    return fleet.overrides_expire(actor="clock")


def overrides_enqueue(*, bucket: int, keep_s: int) -> bool:
    """Enqueue the ending of overrides for this period; False if it is already there."""
    return enqueue_once("act", overrides_job, job_id=f"overrides-{bucket}", keep_s=keep_s)


PERIODIC: dict[Periodic, Callable[..., bool]] = {
    Periodic("overrides", every_s=15): overrides_enqueue,
    Periodic("retention", every_s=300): retention_enqueue,
}
