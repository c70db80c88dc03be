from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django_rq.management.commands.rqworker import Command as RqWorker

QUEUES = ("act", "notify", "slow")


class Command(RqWorker):
    """django-rq's worker with this product's queues and serializer as defaults."""

    help = f"Run background jobs. Queues, if none are named: {', '.join(QUEUES)}."

    def add_arguments(self, parser: CommandParser) -> None:
        """JSON payloads: what a job is given can be read, and unpickles into nothing."""
        super().add_arguments(parser)  # type: ignore[no-untyped-call]  # django-rq ships no types
        parser.set_defaults(serializer="rq.serializers.JSONSerializer")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM."""
        super().handle(*(args or QUEUES), **options)  # type: ignore[no-untyped-call]  # as above
