"""Pools with their probe settings and whom they call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet

from dashboard.admin.one_write import FleetAdmin, WholeForm, actor_of, names_of
from dashboard.admin.override_actions import Overridable
from dashboard.admin.places import OVERRIDE_FIELDS, OVERRIDE_SET
from dashboard.admin.site import admin_site
from pool_manager.core.params import ParamsError
from pool_manager.fleet.models import Dependency, Instance, Pool
from pool_manager.health.probes import KINDS
from pool_manager.journal import services as journal

if TYPE_CHECKING:
    from django.http import HttpRequest


class ReadableJson(json.JSONEncoder):
    """JSON as people read it: two spaces, one key a line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "indent": 2})


class PoolForm(WholeForm):
    """The probe's settings are judged by its kind; every fault is shown."""

    probe_kind = forms.ChoiceField(
        choices=[(name, kind.title) for name, kind in KINDS.items()], initial="http"
    )
    probe_params = forms.JSONField(
        required=False,
        encoder=ReadableJson,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60, "spellcheck": "false"}),
        help_text="A JSON object; what is left out has its default.",
    )

    class Meta:
        model = Pool
        exclude: ClassVar = ["depends_on"]

    def clean(self) -> dict[str, Any]:
        """Let the kind read its settings."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        params = data.get("probe_params") or {}
        kind = KINDS.get(data.get("probe_kind", ""))
        if "probe_params" not in data or kind is None:
            return data
        data["probe_params"] = params
        if not isinstance(params, dict):
            self.add_error("probe_params", 'Not a JSON object; write {"name": value, …}.')
            return data
        try:
            kind.params_parse(params)
        except ParamsError as error:
            for fault in error.found:
                self.add_error("probe_params", f"{fault.field}: {fault.problem}")
        return data


class DependencyInline(admin.StackedInline):  # type: ignore[type-arg]  # generic in its stubs only
    """Whom this pool calls, and how long it waits for them."""

    model = Dependency
    fk_name = "caller"
    extra = 0
    fields: ClassVar = [("callee", "tolerance_ms")]

    verbose_name_plural = "calls these pools"


@admin.register(Pool, site=admin_site)
class PoolAdmin(Overridable, FleetAdmin):
    """Services and how they are probed."""

    form = PoolForm
    scope = "pool"
    key_field = "slug"
    inlines = (DependencyInline,)
    list_display = (
        "slug", "kind", "owner", "instances_count", "probe_kind", "interval_ms", "timeout_ms",
        "rise", "fall", "override",
    )  # fmt: skip
    list_filter = ("kind", "probe_kind", "override")
    search_fields = ("slug", "owner")
    readonly_fields = (*OVERRIDE_FIELDS, "created_at", "version")
    fieldsets: ClassVar = [
        (None, {"fields": ("slug", "kind", "owner", "runbook_url", "labels", "allow_drills")}),
        ("Size", {"fields": (("min_instances", "max_instances"),)}),
        (
            "Probe",
            {
                "fields": (
                    "probe_kind", "probe_params", ("interval_ms", "timeout_ms"), ("rise", "fall"),
                    ("fast_ms", "recheck_ms"),
                ),
                "description": "Running probers take changes over within two seconds.",
            },
        ),
        OVERRIDE_SET,
        ("Record", {"fields": ("created_at", "version")}),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        """With the number of instances."""
        rows: QuerySet[Pool] = super().get_queryset(request)
        return rows.annotate(instances_count=Count("instances"))

    def get_readonly_fields(self, request: HttpRequest, obj: Pool | None = None) -> list[str]:
        """A slug never changes: events, scripts and clients carry it."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "slug"] if obj else [*fields]

    @admin.display(description="instances", ordering="instances_count")
    def instances_count(self, pool: Pool) -> int:
        """How many instances it has."""
        return int(pool.instances_count)  # type: ignore[attr-defined]  # annotated above

    def save_related(
        self,
        request: HttpRequest,
        form: forms.ModelForm[Pool],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Dependencies are part of the pool: their change is the pool's."""
        super().save_related(request, form, formsets, change)
        if not change or not any(formset.has_changed() for formset in formsets):
            return
        with journal.write(actor=actor_of(request)) as tx:
            tx.record(
                "pool.changed",
                f"pool {form.instance} changed: dependencies",
                pool=form.instance.slug,
                labels=form.instance.labels,
                data={"fields": ["dependencies"]},
            )

    def get_deleted_objects(
        self, objs: Sequence[Pool] | QuerySet[Pool], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """A pool takes its instances along, so they are listed rather than in the way."""
        pools = list(objs)
        instances = list(Instance.objects.filter(pool__in=pools))
        allowed = self.has_delete_permission(request)
        listed: list[Any] = names_of(pools)
        if instances:
            listed += ["their instances:", names_of(instances)]
        counts = {"pools": len(pools), "instances": len(instances)}
        return listed, counts, set() if allowed else {"pool"}, []
