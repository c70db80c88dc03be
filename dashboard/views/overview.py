"""The overview and the state that its grid, table and sentences are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.feed import KIND_GROUPS, newest, severity_fault
from dashboard.snapshot import snapshot
from dashboard.states import COUNTS, WORDS
from pool_manager.fleet import selectors as fleet
from pool_manager.journal.kinds import SEVERITIES

if TYPE_CHECKING:
    from django.http import HttpRequest

TAIL_ROWS = 100


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The whole fleet at a glance."""
    kind, severity = request.GET.get("kind", ""), request.GET.get("severity", "")
    if fault := severity_fault(severity):
        return HttpResponseBadRequest(fault, content_type="text/plain; charset=utf-8")
    pools = fleet.pools_all()
    shown = snapshot()
    context = {
        "snapshot": shown,
        "tail": newest(
            limit=TAIL_ROWS,
            upto=shown["seq"],
            pool=request.GET.get("pool") or None,
            kinds=[kind] if kind else (),
            min_severity=severity or None,
        ),
        "page": {"callers": fleet.callers_by_pool()},
        "pools": pools,
        "states": [(state, WORDS[state]) for state in COUNTS],
        "kind_groups": KIND_GROUPS,
        "severities": SEVERITIES,
        "demo": [pool.slug for pool in pools if fleet.labelled_demo(pool.labels)],
    }
    return render(request, "dashboard/overview.html", context)


@require_safe
def fleet_json(request: HttpRequest) -> HttpResponse:
    """The state alone: what pages fetch when the fleet changed shape, or the socket is away."""
    body = orjson.dumps(snapshot(pool=request.GET.get("pool")))
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
