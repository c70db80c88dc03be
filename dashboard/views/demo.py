"""Taking the demo fleet away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboard.views.staff import staff_only
from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Instance, Pool

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only("remove the demo fleet")
def demo_remove(request: HttpRequest) -> HttpResponse:
    """Say what would go; on POST let it go."""
    if request.method == "POST":
        count = fleet.demo_remove(actor=request.user.get_username())
        messages.success(request, f"The demo fleet is removed: {_instances(count)}.")
        return redirect("overview")
    pools = list(Pool.objects.filter(labels__demo="true").values_list("slug", flat=True))
    count = Instance.objects.filter(pool__labels__demo="true").count()
    context = {"pools": pools, "count": count, "instances": _instances(count)}
    return render(request, "dashboard/demo_remove.html", context)


def _instances(count: int) -> str:
    return f"{count} instance{'' if count == 1 else 's'}"
