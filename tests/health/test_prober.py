"""The prober's own rules, without an engine: what it heals, what it gives up, what it remembers."""

from __future__ import annotations

import pytest

from pool_manager.fleet.models import Instance
from pool_manager.health.engine.wire import Report, SignalRow
from pool_manager.health.prober import Prober
from pool_manager.health.selectors import targets_read
from tests.fleet_made import instance_made

pytestmark = pytest.mark.django_db


def prober_with(instance: Instance, *, health: str) -> Prober:
    """A prober whose engine says `health` of the instance."""
    prober = Prober(name="a")
    rows = targets_read()
    prober._board.targets_set((t.id, pool, t.health, t.fall, t.kind) for t, pool in rows)
    prober._board.signals_add([SignalRow(str(instance.pk), health, 1.0)])
    return prober


def test_what_the_database_has_otherwise_is_said_again() -> None:
    instance = instance_made(health="up")
    prober = prober_with(instance, health="down")
    prober._heal(targets_read())
    assert [(one.instance, one.kind) for one in prober._held.take()] == [(instance.pk, "down")]


def test_what_the_database_has_already_is_not_said_again() -> None:
    instance = instance_made(health="down")
    prober = prober_with(instance, health="down")
    prober._heal(targets_read())
    assert prober._held.take() == []


def test_the_worst_stall_is_remembered_until_it_is_told() -> None:
    prober = Prober(name="a")
    for lag_ms in (1.0, 1500.0, 2.0):
        prober._take(Report(mono=1.0, lag_ms=lag_ms, stalls=1))
    assert prober._status(0.0)["lag_ms"] == 1500.0
    assert prober._status(1.0)["lag_ms"] == 0.0
    assert prober._stall_ms == 1500.0
