"""Reads of the fleet, each with a fixed number of SQL statements."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Prefetch

from pool_manager.core.errors import NotFound
from pool_manager.fleet.kinds import Life, Override
from pool_manager.fleet.models import Dependency, Host, Instance, Pool
from pool_manager.fleet.rules import override_effective

DEMO_LABELS = {"demo": "true"}


class InstanceRow(NamedTuple):
    """One living instance as lists show it; `override` is the one that counts."""

    id: uuid.UUID
    name: str
    pool: str
    host: str
    zone: str
    address: str
    port: int
    life: str
    override: str
    health: str
    since: datetime
    reason: str
    build: str
    pid: int | None


_COLUMNS = (
    "id",
    "name",
    "pool__slug",
    "host__name",
    "host__zone__name",
    "address",
    "port",
    "life",
    "override",
    "pool__override",
    "host__override",
    "host__zone__override",
    "health",
    "health_since",
    "health_reason",
    "build",
    "metadata__pid",
)


def instances_living(*, pool: str | None = None) -> list[InstanceRow]:
    """Every instance that is not terminated, by zone, host and name; one statement."""
    rows = Instance.objects.exclude(life=Life.TERMINATED)
    if pool is not None:
        rows = rows.filter(pool__slug=pool)
    ordered = rows.order_by("host__zone__name", "host__name", "name")
    return [
        InstanceRow._make((*row[:8], _effective(row[8:12]), *row[12:]))
        for row in ordered.values_list(*_COLUMNS)
    ]


def _effective(overrides: tuple[str, ...]) -> str:
    if overrides == ("none", "none", "none", "none"):  # the usual case, 10,000 times a page
        return "none"
    return override_effective(*map(Override, overrides)).value


def pools_all() -> list[Pool]:
    """Every pool by slug; one statement."""
    return list(Pool.objects.order_by("slug"))


def pool_get(*, slug: str) -> Pool:
    """One pool with its dependencies, callees in `.dependencies`, callers in `.dependents`; 3 statements."""
    callees = Prefetch(
        "dependencies", Dependency.objects.select_related("callee").order_by("callee__slug")
    )
    callers = Prefetch(
        "dependents", Dependency.objects.select_related("caller").order_by("caller__slug")
    )
    pool = Pool.objects.filter(slug=slug).prefetch_related(callees, callers).first()
    if pool is None:
        raise NotFound(f"There is no pool {slug!r}.")
    return pool


def callers_by_pool() -> dict[str, list[str]]:
    """Which pools call a pool, by slug; one statement."""
    pairs = Dependency.objects.order_by("callee__slug", "caller__slug")
    callers: dict[str, list[str]] = {}
    for callee, caller in pairs.values_list("callee__slug", "caller__slug"):
        callers.setdefault(callee, []).append(caller)
    return callers


@dataclass(frozen=True, slots=True)
class Inventory:
    """How many there are of what an empty fleet lacks."""

    pools: int
    hosts: int


def inventory() -> Inventory:
    """Pools and hosts counted; two statements."""
    return Inventory(pools=Pool.objects.count(), hosts=Host.objects.count())


def labelled_demo(labels: Mapping[str, str]) -> bool:
    """Whether an object belongs to the demo fleet."""
    return DEMO_LABELS.items() <= labels.items()
