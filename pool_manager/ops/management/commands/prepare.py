from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from pool_manager.ops import prepare


class Command(BaseCommand):
    """What must be true before the processes of `up` start."""

    help = "Bring tables, static files and the operator's account up to date; `up` runs it."
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Exit 2 with one sentence when something cannot be prepared."""
        try:
            if not settings.REDIS_EMBEDDED:
                prepare.live_store_check()
            prepare.database_prepare()
            prepare.static_prepare()
            prepare.operator_prepare(
                password=os.environ["POOL_MANAGER_OPERATOR_PASSWORD"],
                force=bool(os.environ.get("POOL_MANAGER_ADMIN_PASSWORD")),
            )
        except prepare.PrepareError as error:
            raise CommandError(str(error), returncode=2) from None
