"""The list of pools, and one pool."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.bars import segments
from dashboard.feed import KIND_GROUPS, newest, severity_fault
from dashboard.probe_words import probe_facts, probe_short
from dashboard.snapshot import FIELDS, snapshot
from dashboard.states import COUNTS, WORDS, counted, sentence, state_of
from pool_manager.core.errors import NotFound
from pool_manager.fleet import selectors as fleet
from pool_manager.journal.kinds import SEVERITIES

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

TAIL_ROWS = 100


def _states(shown: dict[str, Any]) -> dict[str, list[str]]:
    at = {name: FIELDS.index(name) for name in ("pool", "life", "override", "health", "failing")}
    states: dict[str, list[str]] = defaultdict(list)
    for row in shown["instances"]:
        states[row[at["pool"]]].append(
            state_of(
                life=row[at["life"]],
                override=row[at["override"]],
                health=row[at["health"]],
                failing=row[at["failing"]],
            )
        )
    return states


@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    """Every pool with its health."""
    shown = snapshot()
    states = _states(shown)
    rows = []
    every = fleet.pools_all()
    for one in every:
        counts = counted(states[one.slug])
        rows.append(
            {
                "pool": one,
                "counts": counts,
                "total": sum(counts.values()),
                "sentence": sentence(counts),
                "bar": segments(counts),
                "probe": probe_short(one),
            }
        )
    context = {
        "rows": rows,
        "snapshot": shown,
        "demo": [one.slug for one in every if fleet.labelled_demo(one.labels)],
    }
    return render(request, "dashboard/pools.html", context)


@require_safe
def pool(request: HttpRequest, slug: str) -> HttpResponse:
    """One pool: its instances, its settings, what happened to it."""
    kind, severity = request.GET.get("kind", ""), request.GET.get("severity", "")
    if fault := severity_fault(severity):
        return HttpResponseBadRequest(fault, content_type="text/plain; charset=utf-8")
    try:
        one = fleet.pool_get(slug=slug)
    except NotFound as error:
        raise Http404(str(error)) from error
    shown = snapshot(pool=slug)
    counts = counted(_states(shown)[slug])
    context = {
        "pool": one,
        "snapshot": shown,
        "tail": newest(
            limit=TAIL_ROWS,
            upto=shown["seq"],
            pool=slug,
            kinds=[kind] if kind else (),
            min_severity=severity or None,
        ),
        "page": {"pool": slug},
        "sentence": sentence(counts),
        "bar": segments(counts),
        "states": [(state, WORDS[state]) for state in COUNTS],
        "probe": probe_facts(one),
        "kind_groups": KIND_GROUPS,
        "severities": SEVERITIES,
    }
    return render(request, "dashboard/pool.html", context)
