"""One web process on a listening socket it inherits: `python -m pool_manager.ops.web --fd N`.

The socket outlives the process: while one is started anew, connections wait instead of failing.
"""

from __future__ import annotations

import argparse
import os
import socket

from pool_manager.stores import lifeline

SOCKET_FRAME_MAX = 64 * 1024
DRAIN_S = 10


def main() -> None:
    """Serve until SIGTERM; requests in flight get `DRAIN_S` seconds, sockets are closed with 1012."""
    lifeline.attach()
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    listener = socket.socket(fileno=parser.parse_args().fd)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")

    import uvicorn

    config = uvicorn.Config(
        "pool_manager.asgi:application",
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=SOCKET_FRAME_MAX,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing stands in front of `up`; an address is who connected
        timeout_graceful_shutdown=DRAIN_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
