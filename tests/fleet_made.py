"""Rows of the fleet as tests need them, stored without the services that are under test."""

from __future__ import annotations

from typing import Any

from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.fleet.rules import instance_name


def zone_made(name: str = "zone-a", **fields: Any) -> Zone:
    """The zone of that name."""
    return Zone.objects.get_or_create(name=name, defaults=fields)[0]


def host_made(name: str = "a1", *, zone: str = "zone-a", **fields: Any) -> Host:
    """The host of that name."""
    return Host.objects.get_or_create(name=name, defaults={"zone": zone_made(zone), **fields})[0]


def pool_made(slug: str = "recording", **fields: Any) -> Pool:
    """The pool of that slug."""
    return Pool.objects.get_or_create(slug=slug, defaults=fields)[0]


def instance_made(
    port: int = 9000,
    *,
    pool: str = "recording",
    host: str = "a1",
    zone: str = "zone-a",
    address: str = "127.1.0.1",
    **fields: Any,
) -> Instance:
    """A new instance; its pool, host and zone are made if there are none."""
    return Instance.objects.create(
        pool=pool_made(pool),
        host=host_made(host, zone=zone),
        name=instance_name(pool=pool, host=host, port=port),
        address=address,
        port=port,
        **fields,
    )
