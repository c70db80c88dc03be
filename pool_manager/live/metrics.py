"""`/metrics` in the Prometheus text format: what a web process and the prober say of themselves."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pool_manager.health import selectors as health
from pool_manager.health.selectors import ProberStatus
from pool_manager.live.hub import Hub


class _Collector:
    """Reads at scrape time; what is not known is left out rather than shown as 0."""

    def __init__(self, hub: Hub | None, prober: ProberStatus) -> None:
        self._hub = hub
        self._prober = prober

    def collect(self) -> Iterable[Metric]:
        if self._hub is not None:
            yield from _web(self._hub)
        yield from _prober(self._prober)


def _web(hub: Hub) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "pool_manager_feed_clients", "Live sockets of this web process.", value=hub.clients
    )
    if hub.ready:
        yield GaugeMetricFamily(
            "pool_manager_journal_seq",
            "Newest journal number this web process has read.",
            value=hub.ring.last,
        )
    degraded = GaugeMetricFamily(
        "pool_manager_store_up", "1 while the store answers this web process.", labels=["store"]
    )
    for store in ("database", "live_store"):
        degraded.add_metric([store], float(store not in hub.degraded))
    yield degraded


def _prober(status: ProberStatus) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "pool_manager_prober_up", "1 while a prober reports.", value=float(status.alive)
    )
    if status.age_s is None or status.lag_ms is None:
        return
    yield GaugeMetricFamily(
        "pool_manager_prober_age_seconds", "Since the prober's last report.", value=status.age_s
    )
    yield GaugeMetricFamily(
        "pool_manager_prober_lag_seconds",
        "How late the prober's own loop is.",
        value=status.lag_ms / 1000,
    )
    yield GaugeMetricFamily(
        "pool_manager_prober_targets", "Instances being probed.", value=status.targets
    )
    probes = CounterMetricFamily(
        "pool_manager_probes", "Probes by kind and result.", labels=["kind", "result"]
    )
    for kind, counts in status.probes.items():
        for result, count in counts.items():
            probes.add_metric([kind, result], count)
    yield probes
    yield CounterMetricFamily(
        "pool_manager_prober_stalls", "Times the prober itself stood still.", value=status.stalls
    )


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """The page a Prometheus server scrapes; open, since it names no instance and no user."""
    scope = getattr(request, "scope", {})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(scope.get("state", {}).get("hub"), health.prober_status()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
