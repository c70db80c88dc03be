"""Who is there: the login page, for pages and admin alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView

from pool_manager.access import services as access

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class LoginForm(AuthenticationForm):
    """User and password; the message does not say which of the two was wrong."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})
        self.error_messages = {
            "invalid_login": "User or password is wrong. Both are case-sensitive.",
            "inactive": "This account is switched off. Ask an administrator.",
        }
        self.fields["username"].label = "User"


class LoginPage(LoginView):
    """Failed logins are journaled; `next` is followed only within this site (LoginView sees to it)."""

    template_name = "dashboard/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Journal what was tried, then show the form again."""
        user = form.data.get("username", "")
        # an empty form is a slip, not an attempt
        if user and form.data.get("password"):
            access.login_failed(user=user, address=address_of(self.request))
        response = super().form_invalid(form)
        response.status_code = 422
        return response


def address_of(request: HttpRequest) -> str:
    """The peer's address as the server saw it; headers that a client can write are not believed."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")
