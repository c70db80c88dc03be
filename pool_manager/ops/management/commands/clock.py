from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pool_manager.ops.jobs import PERIODIC
from pool_manager.stores import live_store
from pool_manager.stores.leases import Lease

TICK_S = 1.0
LEASE_MS = 5000


class Command(BaseCommand):
    """Enqueue periodic work in time."""

    help = (
        "Enqueue periodic work (retention, end of overrides). Two or more may run: one acts, and a"
        " job's id names its period, so that even two clocks at once enqueue it once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The name, for telling clocks apart."""
        parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Tick once a second until SIGTERM."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        lease = Lease(name="clock", owner=options["name"], ttl_ms=LEASE_MS)
        done: dict[str, int] = {}
        while not stop.wait(TICK_S):
            if lease.renew():
                _tick(time.time(), done)
        lease.release()


def _tick(unix_s: float, done: dict[str, int]) -> None:
    """Enqueue what a new period asks for; while the live store is away try again next second."""
    for periodic, enqueue in PERIODIC.items():
        bucket = periodic.bucket(unix_s)
        if done.get(periodic.name) == bucket:
            continue
        try:
            enqueue(bucket=bucket, keep_s=2 * periodic.every_s)
        except live_store.Error:
            continue
        done[periodic.name] = bucket
