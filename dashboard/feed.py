"""Journal entries as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pool_manager.journal import selectors as journal
from pool_manager.journal.kinds import KINDS, SEVERITIES

KIND_GROUPS: tuple[str, ...] = tuple(sorted({kind.partition(".")[0] for kind in KINDS}))
"""What kinds are about: the prefix before the dot, which filters take."""


def severity_fault(severity: str) -> str:
    """What is wrong with a severity out of a URL; empty when nothing is."""
    if severity and severity not in SEVERITIES:
        return f"severity {severity[:40]!r} is not one of {', '.join(SEVERITIES)}."
    return ""


def newest(
    *,
    limit: int,
    upto: int,
    pool: str | None = None,
    kinds: Sequence[str] = (),
    min_severity: str | None = None,
) -> list[dict[str, Any]]:
    """Events newest first, none younger than `upto`: what is younger comes by the socket."""
    entries = journal.entries_newest(
        limit=limit, pool=pool, kinds=kinds, min_severity=min_severity, before=upto + 1
    )
    return [entry.as_event() for entry in entries]
