"""A TCP proxy in this process whose connections can be cut and allowed again."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class CutProxy:
    """Stands between browser and server; `cut()` breaks every connection and refuses new ones."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._down = False
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.1)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def cut(self) -> None:
        """Break what is open, refuse what comes."""
        with self._lock:
            self._down = True
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._down = False

    def _start(self, run: object, *args: object) -> None:
        thread = threading.Thread(target=run, args=args)  # type: ignore[arg-type]  # a bound method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except TimeoutError:
                continue
            if self._down:
                near.close()
            else:
                self._start(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target, timeout=5) as far:
            with self._lock:
                if self._down:
                    return
                self._open |= {near, far}
            try:
                self._pump(near, far)
            finally:
                with self._lock:
                    self._open -= {near, far}

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        while not self._ended.is_set():
            for one in select.select([near, far], [], [], 0.5)[0]:
                try:
                    data = one.recv(65536)
                    if not data:
                        return
                    other[one].sendall(data)
                except OSError:
                    return
