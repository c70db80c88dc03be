"""Pools as the tests need them."""

from __future__ import annotations

from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Pool
from pool_manager.fleet.rules import AddressLine


def pool_make(slug: str = "recording", *, instances: int = 2, demo: bool = False) -> Pool:
    """A pool whose instances live on two hosts of zone-a."""
    return fleet.pool_create(
        slug=slug,
        probe_kind="http",
        probe_params={},
        timings={},
        lines=[
            AddressLine(number, f"127.1.0.{1 + number % 2}", 9000 + number)
            for number in range(instances)
        ],
        zone="zone-a",
        actor="test",
        labels={"demo": "true"} if demo else {},
    )
