from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pool_manager.health.prober import EngineGone, Prober, prober_lost_note


class Command(BaseCommand):
    """Probe every instance until told to stop."""

    help = (
        "Probe every instance and journal the verdicts. Several may run: one probes, the others"
        " stand by and take over within 3 s. SIGTERM ends it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The name, for telling probers apart."""
        parser.add_argument(
            "--name",
            default=f"{socket.gethostname()}-{os.getpid()}",
            help="identity among probers (default: host name and process id)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Run; exit 1 when the engine died, so that a supervisor starts both anew."""
        name = options["name"]
        try:
            asyncio.run(_until_signalled(Prober(name=name)))
        except* EngineGone as gone:
            status = str(gone.exceptions[0])
            prober_lost_note(name=name, status=status)
            self.stderr.write(status)
            sys.exit(1)


async def _until_signalled(prober: Prober) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: task and task.cancel())
    try:
        await prober.run()
    except asyncio.CancelledError:
        return
