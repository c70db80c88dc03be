"""Reads of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from pool_manager.journal.kinds import SEVERITIES, severity_rank
from pool_manager.journal.models import Entry, Head


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers a reader can still get: `oldest`..`seq`."""

    seq: int
    oldest: int


def bounds() -> Bounds:
    """Where the journal stands, in one statement."""
    row = Head.objects.values_list("seq", "oldest").get(id=1)
    return Bounds(*row)


def entries_after(seq: int, *, limit: int) -> list[Entry]:
    """The next entries in order; at most `limit`."""
    return list(Entry.objects.filter(seq__gt=seq).order_by("seq")[:limit])


def entries_newest(
    *,
    limit: int,
    pool: str | None = None,
    instance: str | None = None,
    kinds: Sequence[str] = (),
    min_severity: str | None = None,
    before: int | None = None,
) -> list[Entry]:
    """Newest first; `kinds` takes prefixes such as `instance.`; `before` pages back."""
    rows: QuerySet[Entry] = Entry.objects.order_by("-seq")
    if pool:
        rows = rows.filter(pool=pool)
    if instance:
        rows = rows.filter(instance=instance)
    if kinds:
        wanted = Q()
        for prefix in kinds:
            wanted |= Q(kind__startswith=prefix.rstrip("*"))
        rows = rows.filter(wanted)
    if min_severity:
        rows = rows.filter(severity__in=SEVERITIES[severity_rank(min_severity) :])
    if before is not None:
        rows = rows.filter(seq__lt=before)
    return list(rows[:limit])
