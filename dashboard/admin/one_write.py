"""One journal transaction around each change made in the admin.

Django's admin opens its own transaction in `changeform_view` and `delete_view`; the journal's must
be the outermost one, because its numbers are taken as the last statements before COMMIT. So these
entry points are answered here: reads without a transaction (on SQLite every transaction is a
writer), writes inside `journal.write()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import JSONField, Model, QuerySet
from django.http import HttpResponse, HttpResponseRedirect

from pool_manager.core.errors import PoolManagerError
from pool_manager.fleet import services as fleet
from pool_manager.journal import services as journal

if TYPE_CHECKING:
    from django.http import HttpRequest

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def actor_of(request: HttpRequest) -> str:
    """Who the journal says it was."""
    return request.user.get_username()


class OneWrite(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Forms, deletion and actions run inside one `journal.write()`; a refusal becomes a message."""

    show_full_result_count = False
    list_per_page = 100

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add or change, without Django's transaction."""
        return self._in_one_write(
            request,
            lambda: self._changeform_view(  # type: ignore[attr-defined]  # missing in the stubs
                request, object_id, form_url, extra_context
            ),
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete, without Django's transaction."""
        return self._in_one_write(
            request,
            lambda: self._delete_view(  # type: ignore[attr-defined]  # missing in the stubs
                request, object_id, extra_context
            ),
        )

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Run a list action over all its rows or none."""
        return self._in_one_write(
            request,
            lambda: (
                super(OneWrite, self).response_action(request, queryset, *args, **kwargs)
                or HttpResponseRedirect(request.get_full_path())
            ),
        )

    def _in_one_write(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return view()
        try:
            with journal.write(actor=actor_of(request)):
                return view()
        except (PoolManagerError, IntegrityError) as refusal:
            # rolled back as a whole: what the form checked was true then and is not now
            messages.error(request, f"Nothing was changed. {_sentence(refusal)}")
            return HttpResponseRedirect(request.get_full_path())


def _sentence(refusal: Exception) -> str:
    if isinstance(refusal, IntegrityError):
        return "Another change came first; look again."
    return f"{refusal}."


class WholeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """A form that checks every constraint of the row, also where a field is not shown."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in the stubs
        if self.errors:
            return
        self.complete()
        try:
            self.instance.validate_constraints()
        except ValidationError as error:
            self.add_error(None, error.messages)

    def complete(self) -> None:
        """Derive what the form does not ask for."""


class FleetAdmin(OneWrite):
    """Zones, hosts, pools and instances: stored and journaled by the fleet's services."""

    form = WholeForm
    formfield_overrides: ClassVar = {
        JSONField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 60, "spellcheck": "false"})},
    }

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: forms.ModelForm[Any],
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Store what changed, and only that."""
        fleet.object_save(
            obj=obj,
            created=not change,
            changed=self.changed_fields(obj, form.changed_data),
            actor=actor_of(request),
        )

    def changed_fields(self, obj: Any, changed: Sequence[str]) -> list[str]:
        """The model's fields among what the form says changed."""
        stored = {field.name for field in obj._meta.concrete_fields}  # noqa: SLF001 - Django's documented _meta API
        return [name for name in changed if name in stored]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete what nothing leans on."""
        fleet.object_delete(obj=obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete all or none."""
        for obj in queryset:
            self.delete_model(request, obj)


def names_of(rows: Sequence[Model], *, limit: int = 200) -> list[str]:
    """Names for a confirmation page, cut where nobody reads on."""
    names = [str(row) for row in rows[:limit]]
    rest = len(rows) - len(names)
    return [*names, f"and {rest} more"] if rest else names
