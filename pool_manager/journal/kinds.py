"""Every kind of event the product writes: severity, fields of `data`, and a sentence.

This table is the only list: a kind that is not here cannot be recorded, and docs/events.md is
made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an event wants eyes; ordered by `severity_rank`."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)


def severity_rank(severity: str) -> int:
    """0 for info up to 3 for critical."""
    return SEVERITIES.index(Severity(severity))


@dataclass(frozen=True, slots=True)
class EventKind:
    """One row of the table."""

    severity: Severity
    sentence: str
    data: tuple[str, ...] = ()


INFO, NOTICE, WARNING, CRITICAL = SEVERITIES

KINDS: dict[str, EventKind] = {
    "access.login_failed": EventKind(
        WARNING, "Somebody gave a wrong user name or password.", ("user", "address")
    ),
    "config.changed": EventKind(
        NOTICE, "A setting outside pools, hosts and zones was changed.", ("what", "fields")
    ),
    "control.prober_lost": EventKind(
        CRITICAL, "The probing engine died; verdicts age until it is back.", ("status",)
    ),
    "control.prober_stalled": EventKind(
        WARNING, "The prober itself stood still; no target was judged for it.", ("lag_ms",)
    ),
    "control.started": EventKind(INFO, "A process of Pool Manager started.", ("process", "pid")),
    "control.stopped": EventKind(INFO, "A process of Pool Manager stopped.", ("process", "pid")),
    "host.changed": EventKind(NOTICE, "A host's settings were changed.", ("fields",)),
    "host.created": EventKind(NOTICE, "A host was added."),
    "host.deleted": EventKind(NOTICE, "A host was deleted."),
    "instance.changed": EventKind(NOTICE, "An instance's settings were changed.", ("fields",)),
    "instance.down": EventKind(
        CRITICAL, "An instance failed `fall` probes in a row.", ("reason", "count", "was")
    ),
    "instance.draining": EventKind(NOTICE, "An instance is let run dry.", ("reason", "was")),
    "instance.in_service": EventKind(NOTICE, "An instance entered service.", ("reason", "was")),
    "instance.lost": EventKind(
        WARNING, "An instance is gone and nobody asked for it.", ("reason", "was")
    ),
    "instance.registered": EventKind(
        INFO, "An instance was registered.", ("address", "port", "build")
    ),
    "instance.restarted": EventKind(
        WARNING, "An instance came back as another process.", ("boot_id", "was")
    ),
    "instance.standby": EventKind(NOTICE, "An instance left service but lives.", ("reason", "was")),
    "instance.terminated": EventKind(NOTICE, "An instance ended.", ("reason", "was")),
    "instance.terminating": EventKind(NOTICE, "An instance is being ended.", ("reason", "was")),
    "instance.up": EventKind(
        NOTICE, "An instance answers its probes.", ("reason", "count", "was", "latency_ms")
    ),
    "maintenance.ended": EventKind(NOTICE, "An override ended.", ("scope", "was")),
    "maintenance.started": EventKind(
        NOTICE, "An operator set an override.", ("scope", "override", "reason", "until")
    ),
    "pool.changed": EventKind(NOTICE, "A pool's settings were changed.", ("fields",)),
    "pool.created": EventKind(NOTICE, "A pool was added."),
    "pool.deleted": EventKind(NOTICE, "A pool was deleted.", ("instances",)),
    "probe.failed": EventKind(
        WARNING, "A probe failed; the instance is in doubt.", ("reason", "count", "of")
    ),
    "probe.recovered": EventKind(
        INFO, "A probe succeeded; the doubt is over.", ("count", "latency_ms")
    ),
    "zone.changed": EventKind(NOTICE, "A zone's settings were changed.", ("fields",)),
    "zone.created": EventKind(NOTICE, "A zone was added."),
    "zone.deleted": EventKind(NOTICE, "A zone was deleted."),
}
