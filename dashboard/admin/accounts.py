"""Users and groups, journaled like every other setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from dashboard.admin.one_write import OneWrite, actor_of
from dashboard.admin.site import admin_site
from pool_manager.journal import services as journal

if TYPE_CHECKING:
    from django.contrib.admin.models import LogEntry
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class JournaledAccounts(OneWrite):
    """Every change Django's admin logs becomes an entry; a password is named, never shown."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Added."""
        self._record(request, obj, ["added"])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Changed, by form or password page."""
        self._record(request, obj, _fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        """Deleted."""
        for obj in queryset:
            self._record(request, obj, ["deleted"])
        entries: list[LogEntry] = super().log_deletions(request, queryset)
        return entries

    def _record(self, request: HttpRequest, obj: Any, fields: list[str]) -> None:
        what = f"{obj._meta.verbose_name} {obj}"  # noqa: SLF001 - Django's documented _meta API
        with journal.write(actor=actor_of(request)) as tx:
            tx.record(
                "config.changed",
                f"{what}: {', '.join(fields) or 'saved without a change'}",
                data={"what": what, "fields": fields},
            )


def _fields(message: Any) -> list[str]:
    """Field labels out of the admin's structured change message."""
    steps = json.loads(message) if isinstance(message, str) else message
    return [
        name
        for step in steps
        if isinstance(step, dict)
        for name in step.get("changed", {}).get("fields", [])
    ]


@admin.register(User, site=admin_site)
class AccountAdmin(JournaledAccounts, UserAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Who may log in."""

    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    # plain lists: the two-column widget has labels that assistive technology may not read
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add, without the transaction UserAdmin opens; ours is opened by `changeform_view`."""
        response: HttpResponse = self._add_view(  # type: ignore[attr-defined]  # missing in the stubs
            request, form_url, extra_context
        )
        return response

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Change a password and say so, in one transaction."""
        return self._in_one_write(
            request, lambda: super(AccountAdmin, self).user_change_password(request, id, form_url)
        )


@admin.register(Group, site=admin_site)
class RoleAdmin(JournaledAccounts, GroupAdmin):
    """Permissions under one name."""

    filter_horizontal = ()
