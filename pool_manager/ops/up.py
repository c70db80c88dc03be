"""`manage.py up`: options, refusals and exit status. Django-free, so that the first process starts at once."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pool_manager.core.env import Env, EnvironmentFault, env_parse
from pool_manager.ops.data_dir import DataDir, DataDirError, data_dir_open
from pool_manager.ops.listener import PORT_DEFAULT, PortError, listener_open
from pool_manager.ops.stack import Plan, Stack, StackError
from pool_manager.stores.embedded import NoServerError

WRONG_USE = 2
PORT_MAX = 65535
PROCESSES_MAX = 64
RESPAWN_MIN_S = 0.1
RESPAWN_MAX_S = 3600
BASE_DIR = Path(__file__).resolve().parents[2]

ABOUT = (
    "Run everything on this machine: live store, web, prober, worker, clock. The first start"
    " makes the database and the operator's account. Ctrl-C or SIGTERM ends all of it."
)


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
        fine = RESPAWN_MIN_S <= float(text) <= RESPAWN_MAX_S
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither seconds (0.1 to {RESPAWN_MAX_S}) nor 'never'"
        )
    return text


def arguments_add(parser: argparse.ArgumentParser) -> None:
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
        metavar="P",
        type=_port,
        help=f"port to listen on (default {PORT_DEFAULT}, or the next free one)",
    )
    add("--data-dir", type=Path, help="where state is kept (default var/ in the checkout)")
    add("--web", metavar="N", type=_count, default=1, help="web processes (default 1)")
    add("--workers", metavar="N", type=_count, default=1, help="job workers (default 1)")
    add(
        "--probers",
        metavar="N",
        type=_count,
        default=1,
        help="probers; all but one stand by (default 1)",
    )


def main(arguments: Sequence[str], *, prog: str) -> int:
    """Run until signalled. 0 when told to stop; 2 and one sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog=prog, description=ABOUT)
    arguments_add(parser)
    options = parser.parse_args(arguments)
    if options.data_dir is not None:
        # for us and for every process we start
        os.environ["POOL_MANAGER_DATA_DIR"] = str(options.data_dir.expanduser().resolve())
    try:
        _up(options, os.environ)
    except (
        DataDirError,
        EnvironmentFault,
        PortError,
        StackError,
        NoServerError,
    ) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return WRONG_USE
    return 0


def _up(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    env = _env(environ)
    os.environ["POOL_MANAGER_DATA_DIR"] = str(env.data_dir)
    # the port first: a start that is refused for it leaves no directory behind
    with listener_open(options.host, options.port) as listener:
        data_dir = data_dir_open(env.data_dir)
        try:
            data_dir.secret_key_ensure()
            _run(options, env, data_dir, listener)
        finally:
            data_dir.close()
    say("stopped")


def _env(environ: Mapping[str, str]) -> Env:
    """The environment, judged before anything is made; `up` keeps a secret key of its own."""
    if not environ.get("SECRET_KEY") and not environ.get("SECRET_KEY_FILE"):
        environ = {**environ, "SECRET_KEY": secrets.token_urlsafe(48)}
    return env_parse(environ, base_dir=BASE_DIR)


def _run(options: argparse.Namespace, env: Env, data_dir: DataDir, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    if options.port is None and port != PORT_DEFAULT:
        say(f"port {PORT_DEFAULT} is taken: listening on {port}")
    plan = Plan(
        host=options.host,
        web=options.web,
        workers=options.workers,
        probers=options.probers,
        demo=options.demo,
        demo_respawn=options.demo_respawn,
    )
    Stack(plan, env=env, base_dir=BASE_DIR, data_dir=data_dir, listener=listener, say=say).run()


def say(sentence: str) -> None:
    """One line on the terminal."""
    sys.stderr.write(f"up: {sentence}\n")
    sys.stderr.flush()
