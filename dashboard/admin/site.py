"""The admin site: Django's own, behind our login and in our look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from dashboard.views.login import LoginPage

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class PoolManagerAdminSite(AdminSite):
    """One login for pages and admin; a reader who may not enter is told so, not asked again."""

    site_header = "Pool Manager admin"
    site_title = "Pool Manager"
    index_title = "Admin"
    empty_value_display = "-"
    final_catch_all_view = True

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The login page of the product, here too; afterwards to where the reader wanted to go."""
        del extra_context
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        if request.user.is_authenticated:
            raise PermissionDenied("The admin is for accounts with staff status.")
        if request.method == "GET" and REDIRECT_FIELD_NAME not in request.GET:
            query = urlencode({REDIRECT_FIELD_NAME: reverse("admin:index", current_app=self.name)})
            return HttpResponseRedirect(f"{resolve_url('login')}?{query}")
        return cast("HttpResponse", LoginPage.as_view()(request))


admin_site = PoolManagerAdminSite(name="admin")
