from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from examples.demo.plan import DemoFleet, can_bind, plan, port_shift_free
from pool_manager.ops.demo import Keeper, fleet_ensure, removed_note, say


class Command(BaseCommand):
    """The demo fleet; `up --demo` runs it."""

    help = "Run the demo fleet: 36 small services on six loopback hosts, and modest load on them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Respawn and rate."""
        parser.add_argument("--respawn", default="5", help="seconds, or never (default 5)")
        parser.add_argument("--rate", type=float, default=6.0, help="calls a second (default 6)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Run until SIGTERM, or until an operator removes the demo."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        note = removed_note(settings.DATA_DIR)
        if note.exists():
            say(f"it was removed here; delete {note} and start again to have it back")
            return
        fleet = _fleet_plan()
        fleet_ensure(fleet)
        respawn = options["respawn"]
        keeper = Keeper(
            fleet=fleet,
            store=settings.DATA_DIR / "recordings",
            respawn_s=None if respawn == "never" else float(respawn),
            rate=options["rate"],
            cwd=settings.BASE_DIR,
        )
        if keeper.run(stop):
            note.write_text("The demo fleet was removed by an operator.\n")
            say("removed; its processes have ended")


def _fleet_plan() -> DemoFleet:
    """The plan for this machine; ports once chosen are kept, so that instances are found again."""
    shared = not all(can_bind(host.address) for host in plan().hosts)
    if shared:
        say("127.1.0.1 and its like cannot be bound here: all six hosts share 127.0.0.1")
    kept = settings.DATA_DIR / "demo-port-shift"
    try:
        port_shift = int(kept.read_text())
    except (FileNotFoundError, ValueError):
        port_shift = port_shift_free(shared_loopback=shared)
        kept.write_text(f"{port_shift}\n")
    if port_shift:
        say(f"the demo's usual ports were taken: its ports are {port_shift} higher")
    return plan(shared_loopback=shared, port_shift=port_shift)
