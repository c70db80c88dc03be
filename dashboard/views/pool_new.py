"""A new pool: paste addresses, see who answers, save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboard.forms import PoolForm
from dashboard.views.staff import staff_only
from pool_manager.core.errors import Conflict, Invalid
from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Pool, Zone
from pool_manager.fleet.rules import AddressLine
from pool_manager.health.engine.once import probe_many
from pool_manager.health.engine.wire import Target

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# whoever waits for a page waits for this at most, five times for the longest list
FIRST_PROBE_TIMEOUT_MAX_MS = 5_000


@dataclass(frozen=True, slots=True)
class FirstProbe:
    """What the first probe of one line found."""

    line: AddressLine
    ok: bool | None  # None: not probed
    reason: str
    latency_ms: float | None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only("add a pool")
def pool_new(request: HttpRequest) -> HttpResponse:
    """Show the form; probe or save what it holds."""
    zones = list(Zone.objects.values_list("name", flat=True))
    if request.method != "POST":
        return _page(request, PoolForm(zones=zones))
    form = PoolForm(request.POST, zones=zones)
    if not form.is_valid():
        return _page(request, form, status=422)
    if request.POST.get("do") != "save":
        return _page(request, form, probes=_first_probes(form))
    pool = _saved(form, actor=request.user.get_username())
    if pool is None:
        return _page(request, form, status=422)
    count = len(form.addresses)
    messages.success(request, f"Pool {pool.slug} saved with {_instances(count)}.")
    return redirect("pool", slug=pool.slug)


def _page(
    request: HttpRequest,
    form: PoolForm,
    *,
    probes: list[FirstProbe] | None = None,
    status: int = 200,
) -> HttpResponse:
    answering = sum(probe.ok is True for probe in probes or ())
    context = {
        "form": form,
        "probes": probes,
        "answering": answering,
        "instances": _instances(len(form.addresses)),
        # those that do not answer are why one looks
        "rows": sorted(probes or (), key=lambda probe: (probe.ok is True, probe.line.number)),
    }
    return render(request, "dashboard/pool_new.html", context, status=status)


def _first_probes(form: PoolForm) -> list[FirstProbe]:
    timeout_ms = min(form.cleaned_data["timeout_ms"], FIRST_PROBE_TIMEOUT_MAX_MS)
    targets = [
        Target(
            id=str(line.number),
            address=line.host,
            port=line.port,
            kind=form.cleaned_data["probe_kind"],
            params=form.probe_params,
            timeout_ms=timeout_ms,
        )
        for line in form.addresses
    ]
    outcomes = probe_many(targets, allow=settings.PROBE_ALLOW)
    found = []
    for line in form.addresses:
        outcome = outcomes[str(line.number)]
        found.append(
            FirstProbe(
                line,
                ok=outcome.ok,
                reason=outcome.reason,
                latency_ms=outcome.latency_ms,
            )
        )
    return found


def _saved(form: PoolForm, *, actor: str) -> Pool | None:
    """The new pool; None when it was refused, and the form says why."""
    data = form.cleaned_data
    try:
        return fleet.pool_create(
            slug=data["slug"],
            probe_kind=data["probe_kind"],
            probe_params=form.probe_params,
            timings=form.timing_values,
            lines=form.addresses,
            zone=data["zone"],
            actor=actor,
        )
    except Invalid as error:
        for name, problem in error.faults.items():
            form.add_error(name if name in form.fields else None, problem)
    except Conflict as error:
        form.add_error(None, f"{error}.")
    except IntegrityError:
        # two people pressed Save: the constraint let one through
        form.add_error(None, "Somebody else saved the same pool or address first; look again.")
    return None


def _instances(count: int) -> str:
    return f"{count:,} instance{'' if count == 1 else 's'}"
