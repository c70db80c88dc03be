"""Instances: what is known of them can be edited; what the prober says cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from dashboard.admin.one_write import FleetAdmin, WholeForm
from dashboard.admin.override_actions import Overridable
from dashboard.admin.places import OVERRIDE_FIELDS, OVERRIDE_SET
from dashboard.admin.site import admin_site
from pool_manager.fleet.models import Instance
from pool_manager.fleet.rules import instance_name

if TYPE_CHECKING:
    from django.http import HttpRequest


class InstanceForm(WholeForm):
    """The name follows from pool, host and port."""

    def complete(self) -> None:
        """Name the instance before its constraints are checked."""
        row = self.instance
        row.name = instance_name(pool=row.pool.slug, host=row.host.name, port=row.port)


@admin.register(Instance, site=admin_site)
class InstanceAdmin(Overridable, FleetAdmin):
    """Processes at an address and port."""

    form = InstanceForm
    scope = "instance"
    list_display = (
        "name", "health", "health_reason", "health_since", "life", "override", "zone", "address",
        "port", "build",
    )  # fmt: skip
    list_filter = ("health", "life", "override", "pool", "host__zone")
    list_select_related = ("pool", "host__zone")
    search_fields = ("name", "address", "build")

    readonly_fields = (
        *OVERRIDE_FIELDS, "name", "health", "health_since", "health_reason", "life", "life_since",
        "boot_id", "ejected_until", "held_until", "protected_until", "registered_at",
    )  # fmt: skip
    fieldsets: ClassVar = [
        (None, {"fields": ("name", "pool", "host", ("address", "port"), "weight", "build")}),
        ("Health, as the prober sees it", {"fields": ("health", "health_since", "health_reason")}),
        ("Life", {"fields": ("life", "life_since", "boot_id", "registered_at")}),
        OVERRIDE_SET,
        ("Flags with an end", {"fields": ("ejected_until", "held_until", "protected_until")}),
        ("Labels and metadata", {"fields": ("labels", "metadata")}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Instance | None = None) -> list[str]:
        """An instance stays in its pool; another pool's instance is another instance."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "pool"] if obj else [*fields]

    def changed_fields(self, obj: Any, changed: Sequence[str]) -> list[str]:
        """The name moves with what it is made of."""
        stored = super().changed_fields(obj, changed)
        return [*stored, "name"] if {"host", "port"} & set(stored) else stored

    @admin.display(description="zone", ordering="host__zone__name")
    def zone(self, instance: Instance) -> str:
        """Where its host stands."""
        return instance.host.zone.name
