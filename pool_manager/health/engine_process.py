"""The probing engine as a child process over a socketpair; either side dies with the other."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterable

from pool_manager.health.engine.wire import LineReader, Message, decode

READ_BYTES = 256 * 1024
STOP_S = 5.0


class EngineProcess:
    """Starts `python -m pool_manager.health.engine` and speaks lines with it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pool_manager.health.engine", "--fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        ours.setblocking(False)  # noqa: FBT003  # the socket API
        self._socket = ours
        self._lines = LineReader()
        self._sending = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def send(self, lines: Iterable[bytes]) -> None:
        """Send orders; raises TimeoutError when the engine takes none for five seconds."""
        loop = asyncio.get_running_loop()
        async with self._sending:
            for line in lines:
                await asyncio.wait_for(loop.sock_sendall(self._socket, line), timeout=STOP_S)

    async def messages(self) -> list[Message]:
        """The next messages; an empty list when the engine is gone."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.sock_recv(self._socket, READ_BYTES)
            except ConnectionError:
                return []
            if not data:
                return []
            lines = self._lines.feed(data)
            if lines:
                return [decode(line) for line in lines]

    def close(self) -> int:
        """End it: the closed socket tells it, a signal if it does not listen. Its exit status."""
        self._socket.close()
        try:
            return self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(timeout=STOP_S)
