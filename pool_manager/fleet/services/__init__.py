"""Writes of the fleet, by subject: editing objects, registration, and changes of state."""

from __future__ import annotations

from pool_manager.fleet.services.edit import demo_remove, object_delete, object_save, pool_remove
from pool_manager.fleet.services.register import (
    InstanceSpec,
    instance_register,
    instances_register,
    pool_create,
    zone_ensure,
)
from pool_manager.fleet.services.state import (
    HealthChange,
    health_apply,
    instance_booted,
    life_change,
    override_set,
    overrides_expire,
)

__all__ = [
    "HealthChange",
    "InstanceSpec",
    "demo_remove",
    "health_apply",
    "instance_booted",
    "instance_register",
    "instances_register",
    "life_change",
    "object_delete",
    "object_save",
    "override_set",
    "overrides_expire",
    "pool_create",
    "pool_remove",
    "zone_ensure",
]
