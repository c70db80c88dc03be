from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pool_manager.ops import up


class Command(BaseCommand):
    """`manage.py help up`; manage.py itself runs `up` without loading Django."""

    help = up.ABOUT
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The same options."""
        up.arguments_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """The same run."""
        sys.exit(up.main(sys.argv[2:], prog="manage.py up"))
