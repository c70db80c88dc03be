from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class JournalConfig(AppConfig):
    name = "pool_manager.journal"
    label = "journal"

    def ready(self) -> None:
        """`flush` takes the head row away too; the journal cannot be written without it."""
        post_migrate.connect(_head_ensure, sender=self)


def _head_ensure(*, using: str, **_: Any) -> None:
    from pool_manager.journal.models import Head

    if "journal_head" in connections[using].introspection.table_names():
        Head.objects.using(using).get_or_create(id=1)
