"""Reads of the fleet, each with a fixed number of SQL statements."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

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
    *("id", "name", "pool_id", "host_id", "address", "port", "life", "override"),
    *("health", "health_since", "health_reason"),
)
_DETAILS = ("build", "metadata__pid")
_NO_DETAILS = ("", None)


def instances_living(*, pool: str | None = None) -> list[InstanceRow]:
    """Every instance that is not terminated, by zone, host and name; three statements.

    `build` and `pid` are read for one pool only. Pools and hosts are joined here: repeated in
    each of 10,000 rows their names and overrides take longer than everything else.
    """
    wanted = Instance.objects.exclude(life=Life.TERMINATED)
    if pool is not None:
        wanted = wanted.filter(pool__slug=pool)
    pools = {key: names for key, *names in Pool.objects.values_list("id", "slug", "override")}
    hosts = {
        key: names
        for key, *names in Host.objects.values_list(
            "id", "name", "override", "zone__name", "zone__override"
        )
    }
    columns = _COLUMNS if pool is None else (*_COLUMNS, *_DETAILS)
    rows = [
        _row(row, pools[row[2]], hosts[row[3]])
        for row in wanted.values_list(*columns)
        # added between the statements: the next read has it
        if row[2] in pools and row[3] in hosts
    ]
    rows.sort(key=attrgetter("zone", "host", "name"))
    return rows


def _row(row: tuple[Any, ...], pool: list[str], host: list[str]) -> InstanceRow:
    slug, by_pool = pool
    host_name, by_host, zone, by_zone = host
    own = (row[0], row[1], slug, host_name, zone, *row[4:7])
    effective = _effective((row[7], by_pool, by_host, by_zone))
    return InstanceRow._make((*own, effective, *row[8:11], *(row[11:] or _NO_DETAILS)))


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


def labelled_demo(labels: Mapping[str, str]) -> bool:
    """Whether an object belongs to the demo fleet."""
    return DEMO_LABELS.items() <= labels.items()
