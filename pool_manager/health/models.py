"""What the prober saw, run-length: one row per (instance, result) run, kept for a day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ProbeRun(models.Model):
    """`count` probes in a row of one instance with the same result and reason.

    Written when the run begins, again when it ends or every few minutes; in between the live
    store knows more.
    """

    instance = models.UUIDField()
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ok = models.BooleanField()
    reason = models.CharField(max_length=300, blank=True, default="")
    count = models.PositiveIntegerField(default=1)
    latency_ms = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "started_at"], name="probe_run_unique"),
        ]
        indexes: ClassVar = [models.Index(fields=["last_at"], name="probe_run_last_at")]

    def __str__(self) -> str:
        return f"{self.instance} {'ok' if self.ok else self.reason} x{self.count}"
