"""The small ASGI app in front of Django: lifespan, `/healthz`, `/readyz`. Never waits for a store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from pool_manager.live.hub import Hub
from pool_manager.live.tailer import Tailer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Hot:
    """Answers what must not wait, passes everything else on."""

    def __init__(self, inner: App) -> None:
        self._inner = inner
        self._hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in {"/healthz", "/readyz"}:
            await self._answer(scope, send)
        else:
            await self._inner(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the tailer with the server and stop it with it; succeeds with every store away."""
        await receive()
        self._hub = Hub()
        tailer = Tailer(self._hub)
        scope["state"]["hub"] = self._hub
        await tailer.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._hub = None
        await tailer.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await _respond(send, 405, {"status": "method not allowed; use GET"})
        elif scope["path"] == "/healthz":
            await _respond(send, 200, {"status": "ok"})
        elif self._hub is None:
            await _respond(send, 503, {"status": "draining"})
        else:
            await _respond(
                send,
                200,
                {"status": "ready", "degraded": self._hub.degraded, "seq": self._hub.ring.last},
            )


async def _respond(send: Send, status: int, body: dict[str, Any]) -> None:
    text = orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
