"""Drain, maintenance and their end, for whatever can have them: list actions with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.options import ModelAdmin
from django.db.models import Model, QuerySet

from dashboard.admin.one_write import actor_of
from pool_manager.core import clock
from pool_manager.core.errors import Invalid
from pool_manager.fleet import services as fleet
from pool_manager.fleet.kinds import Override

if TYPE_CHECKING:
    from django.http import HttpRequest

HOURS_MAX = 24 * 365


class OverrideActionForm(ActionForm):
    """What the override actions ask beside their name."""

    reason = forms.CharField(
        required=False,
        max_length=200,
        label="Reason:",
        widget=forms.TextInput(attrs={"size": 28, "placeholder": "for drain and maintenance"}),
    )
    hours = forms.FloatField(
        required=False,
        min_value=0,
        max_value=HOURS_MAX,
        label="For hours:",
        widget=forms.NumberInput(attrs={"placeholder": "no end", "step": "any"}),
    )


class Overridable(ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Adds the actions; `scope` and `key_field` name the object as the fleet's services do."""

    scope = ""
    key_field = "name"
    action_form = OverrideActionForm
    actions = ("drain", "maintenance", "override_end")

    @admin.action(permissions=["change"], description="Drain: no new calls, running ones finish")
    def drain(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """No new calls; what runs may finish."""
        self._order(request, queryset, Override.DRAIN)

    @admin.action(permissions=["change"], description="Maintenance: out of service, alarms quiet")
    def maintenance(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Out of service; probing goes on."""
        self._order(request, queryset, Override.MAINTENANCE)

    @admin.action(permissions=["change"], description="End drain or maintenance")
    def override_end(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Back to what was before."""
        self._order(request, queryset, Override.NONE)

    def _order(self, request: HttpRequest, queryset: QuerySet[Any], word: Override) -> None:
        form = OverrideActionForm(request.POST)
        form.fields["action"].required = False
        form.fields["action"].choices = [(name, name) for name in request.POST.getlist("action")]  # type: ignore[attr-defined]  # a ChoiceField
        if not form.is_valid():
            raise Invalid({name: " ".join(map(str, texts)) for name, texts in form.errors.items()})
        hours = form.cleaned_data["hours"]
        until = (
            clock.now() + timedelta(hours=hours) if hours and word is not Override.NONE else None
        )
        rows = list(queryset)
        for row in rows:
            fleet.override_set(
                scope=self.scope,
                key=_key(row, self.key_field),
                override=word,
                reason=form.cleaned_data["reason"] or _default_reason(word),
                until=until,
                actor=actor_of(request),
            )
        what = "ended" if word is Override.NONE else f"set to {word}"
        messages.success(
            request, f"{len(rows)} {self.scope}{'' if len(rows) == 1 else 's'} {what}."
        )


def _key(row: Model, field: str) -> str:
    return str(getattr(row, field))


def _default_reason(word: Override) -> str:
    return "ended by hand" if word is Override.NONE else ""
