"""Who may change the fleet from the pages: accounts with staff status."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

View = Callable[["HttpRequest"], "HttpResponse"]


def staff_only(what: str) -> Callable[[View], View]:
    """Refuse others with a page that says who can; `what` completes "Only … may"."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest) -> HttpResponse:
            user = request.user
            if not (user.is_authenticated and user.is_staff):
                raise PermissionDenied(
                    f"Only accounts with staff status may {what}. Ask an administrator for it."
                )
            return view(request)

        return guarded

    return decorate
