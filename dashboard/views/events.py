"""The journal, newest first, filtered by the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.feed import KIND_GROUPS, severity_fault
from pool_manager.fleet import selectors as fleet
from pool_manager.journal import selectors as journal
from pool_manager.journal.kinds import SEVERITIES

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ROWS = 200
SEQ_DIGITS = 18  # what fits a 64-bit number


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Newest entries; `before` pages back, so that new ones never shift a page."""
    asked = {name: request.GET.get(name, "") for name in ("pool", "instance", "kind", "severity")}
    before = request.GET.get("before", "")
    fault = severity_fault(asked["severity"]) or _before_fault(before)
    if fault:
        return HttpResponseBadRequest(fault, content_type="text/plain; charset=utf-8")
    entries = journal.entries_newest(
        limit=ROWS + 1,
        pool=asked["pool"] or None,
        instance=asked["instance"] or None,
        kinds=[asked["kind"]] if asked["kind"] else (),
        min_severity=asked["severity"] or None,
        before=int(before) if before else None,
    )
    kept = {name: value for name, value in asked.items() if value}
    context = {
        "entries": entries[:ROWS],
        "asked": asked,
        "filtered": bool(kept),
        "before": before,
        "older": urlencode(kept | {"before": entries[ROWS - 1].seq}) if len(entries) > ROWS else "",
        "newest": urlencode(kept),
        "pools": fleet.pools_all(),
        "kind_groups": KIND_GROUPS,
        "severities": SEVERITIES,
    }
    return render(request, "dashboard/events.html", context)


def _before_fault(before: str) -> str:
    if before and not (before.isascii() and before.isdigit() and len(before) <= SEQ_DIGITS):
        return f"before {before[:40]!r} is not a journal number."
    return ""
