"""The journal: append-only entries with a gap-free number in commit order."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q


class Head(models.Model):
    """The single row that hands out numbers.

    Invariant: `seq` is the number of the newest entry; `oldest` of the oldest one kept
    (`oldest == seq + 1` when none is kept). Its lock is taken last in a transaction.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)
    oldest = models.BigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="journal_head_single"),
        ]

    def __str__(self) -> str:
        return f"head {self.seq}"


class Entry(models.Model):
    """One thing that happened. Names, not foreign keys: it outlives what it speaks of."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8)
    pool = models.CharField(max_length=63, blank=True, default="")
    instance = models.CharField(max_length=200, blank=True, default="")
    host = models.CharField(max_length=63, blank=True, default="")
    zone = models.CharField(max_length=63, blank=True, default="")
    labels = models.JSONField(default=dict)
    actor = models.CharField(max_length=150, blank=True, default="")
    message = models.CharField(max_length=500)
    data = models.JSONField(default=dict)
    cause = models.BigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["seq"]
        indexes: ClassVar = [
            models.Index(fields=["pool", "-seq"], name="journal_pool_seq"),
            models.Index(fields=["instance", "-seq"], name="journal_instance_seq"),
            models.Index(fields=["at"], name="journal_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    def as_event(self) -> dict[str, Any]:
        """The event as the API and the socket show it; empty names become null."""
        return {
            "seq": self.seq,
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "kind": self.kind,
            "severity": self.severity,
            "pool": self.pool or None,
            "instance": self.instance or None,
            "host": self.host or None,
            "zone": self.zone or None,
            "labels": self.labels,
            "actor": self.actor,
            "message": self.message,
            "data": self.data,
            "cause": self.cause,
        }
