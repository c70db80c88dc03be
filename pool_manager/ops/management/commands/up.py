from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pool_manager.ops.data_dir import DataDirError, data_dir_open
from pool_manager.ops.listener import PORT_DEFAULT, PortError, listener_open
from pool_manager.ops.prepare import PrepareError
from pool_manager.ops.stack import Plan, Stack, StackError
from pool_manager.stores.embedded import NoServerError

WRONG_USE = 2
PORT_MAX = 65535
PROCESSES_MAX = 64


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to {PORT_MAX}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= PROCESSES_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {PROCESSES_MAX}")
    return int(text)


def _respawn(text: str) -> str:
    if text == "never":
        return text
    try:
        fine = 0.1 <= float(text) <= 3600  # noqa: PLR2004  # an hour
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"{text!r} is neither seconds (0.1 to 3600) nor 'never'")
    return text


class Command(BaseCommand):
    """The whole product on one machine."""

    help = (
        "Run everything on this machine: live store, web, prober, worker, clock. The first start"
        " makes the database and the operator's account. Ctrl-C or SIGTERM ends all of it."
    )
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Options as docs/running.md describes them."""
        add = parser.add_argument
        add("--demo", action="store_true", help="also run a fleet of 36 small services to watch")
        add(
            "--demo-respawn",
            type=_respawn,
            default="5",
            metavar="S|never",
            help="seconds until a killed demo process is started again (default 5)",
        )
        add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        add(
            "--port",
            type=_port,
            help=f"port to listen on (default {PORT_DEFAULT}, or the next free one)",
        )
        add("--data-dir", type=Path, help="where state is kept (default var/ in the checkout)")
        add("--web", type=_count, default=1, help="web processes (default 1)")
        add("--workers", type=_count, default=1, help="job workers (default 1)")
        add("--probers", type=_count, default=1, help="probers; all but one stand by (default 1)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Run until signalled; wrong use and what cannot start exit with 2 and one sentence."""
        _data_dir_settle(options["data_dir"])
        try:
            self._up(options)
        except (DataDirError, PortError, PrepareError, StackError, NoServerError) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from None

    def _up(self, options: dict[str, Any]) -> None:
        data_dir = data_dir_open(settings.DATA_DIR)
        try:
            data_dir.secret_key_ensure()
            listener = listener_open(options["host"], options["port"])
            with listener:
                port = listener.getsockname()[1]
                if options["port"] is None and port != PORT_DEFAULT:
                    self._say(f"port {PORT_DEFAULT} is taken: listening on {port}")
                plan = Plan(
                    host=options["host"],
                    web=options["web"],
                    workers=options["workers"],
                    probers=options["probers"],
                    demo=options["demo"],
                    demo_respawn=options["demo_respawn"],
                )
                stack = Stack(plan, data_dir=data_dir, listener=listener, say=self._say)
                stack.run(password=os.environ.get("POOL_MANAGER_ADMIN_PASSWORD", ""))
        finally:
            data_dir.close()

    def _say(self, sentence: str) -> None:
        self.stderr.write(f"up: {sentence}")
        self.stderr.flush()


def _data_dir_settle(asked: Path | None) -> None:
    """Settings were read before options: with another directory, begin anew with it in the environment."""
    if asked is None:
        return
    path = asked.expanduser().resolve()
    if path == settings.DATA_DIR:
        return
    os.environ["POOL_MANAGER_DATA_DIR"] = str(path)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # ourselves again
