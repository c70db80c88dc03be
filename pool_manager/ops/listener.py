"""The listening socket of the web processes."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

PORT_DEFAULT = 8000
PORTS_TRIED = 100
BACKLOG = 512


class PortError(Exception):
    """No socket can be had; the message says why and what to do."""


def listener_open(host: str, port: int | None) -> socket.socket:
    """Listen on `port`, or, if none was asked for, on the first free one from 8000 on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in _candidates(port):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                continue
            raise PortError(
                f"cannot listen on {host} port {candidate} ({error.strerror});"
                " choose others with --host and --port"
            ) from error
        return listener
    if port is not None:
        raise PortError(
            f"port {port} on {host} is taken; choose another with --port, or leave it out"
            " for the next free one"
        )
    raise PortError(
        f"ports {PORT_DEFAULT} to {PORT_DEFAULT + PORTS_TRIED - 1} on {host} are all taken;"
        " choose one with --port"
    )


def _candidates(port: int | None) -> Iterable[int]:
    if port is None:
        return range(PORT_DEFAULT, PORT_DEFAULT + PORTS_TRIED)
    return (port,)
