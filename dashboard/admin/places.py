"""Zones and hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.db.models import Count

from dashboard.admin.one_write import FleetAdmin
from dashboard.admin.override_actions import Overridable
from dashboard.admin.site import admin_site
from pool_manager.fleet.models import Host, Zone

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldOpts as FieldSet
    from django.db.models import QuerySet
    from django.http import HttpRequest

OVERRIDE_FIELDS = ("override", "override_reason", "override_by", "override_until")
OVERRIDE_SET: tuple[str, FieldSet] = (
    "Drain and maintenance",
    {"fields": OVERRIDE_FIELDS, "description": "Set and ended by the actions of the list."},
)


@admin.register(Zone, site=admin_site)
class ZoneAdmin(Overridable, FleetAdmin):
    """Failure domains."""

    scope = "zone"
    list_display = ("name", "hosts_count", "life", "override", "override_until")
    list_filter = ("life", "override")
    search_fields = ("name",)
    # no page changes the life of a place yet: it is shown
    readonly_fields = (*OVERRIDE_FIELDS, "life", "created_at")
    fieldsets: ClassVar = [
        (None, {"fields": ("name", "life", "labels", "created_at")}),
        OVERRIDE_SET,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        """With the number of hosts."""
        rows: QuerySet[Zone] = super().get_queryset(request)
        return rows.annotate(hosts_count=Count("hosts"))

    def get_readonly_fields(self, request: HttpRequest, obj: Zone | None = None) -> list[str]:
        """A name never changes: events and scripts carry it."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "name"] if obj else [*fields]

    @admin.display(description="hosts", ordering="hosts_count")
    def hosts_count(self, zone: Zone) -> int:
        """How many hosts stand there."""
        return int(zone.hosts_count)  # type: ignore[attr-defined]  # annotated above


@admin.register(Host, site=admin_site)
class HostAdmin(Overridable, FleetAdmin):
    """Machines."""

    scope = "host"
    list_display = (
        "name",
        "zone",
        "instances_count",
        "storage",
        "life",
        "override",
        "override_until",
    )
    list_filter = ("zone", "life", "override", "storage")
    list_select_related = ("zone",)
    search_fields = ("name", "zone__name")

    # no page changes the life of a place yet: it is shown
    readonly_fields = (*OVERRIDE_FIELDS, "life", "created_at")
    fieldsets: ClassVar = [
        (None, {"fields": ("name", "zone", "storage", "life", "labels", "created_at")}),
        OVERRIDE_SET,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Host]:
        """With the number of instances."""
        rows: QuerySet[Host] = super().get_queryset(request)
        return rows.annotate(instances_count=Count("instances"))

    def get_readonly_fields(self, request: HttpRequest, obj: Host | None = None) -> list[str]:
        """A name never changes: events and scripts carry it."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "name"] if obj else [*fields]

    @admin.display(description="instances", ordering="instances_count")
    def instances_count(self, host: Host) -> int:
        """How many instances live there."""
        return int(host.instances_count)  # type: ignore[attr-defined]  # annotated above
