"""A client of the live socket that speaks ASGI with the consumer itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import orjson
from asgiref.testing import ApplicationCommunicator

from pool_manager.live.hub import Hub
from pool_manager.live.socket import LiveSocket

HOST = "127.0.0.1:8000"
OPERATOR = SimpleNamespace(is_active=True)
PATIENCE_S = 5.0


class Client:
    """One connection."""

    def __init__(self, hub: Hub, *, origin: str | None, user: object) -> None:
        headers = [(b"host", HOST.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        scope = {
            "type": "websocket",
            "path": "/ws/live/",
            "headers": headers,
            "user": user,
            "state": {"hub": hub},
        }
        self._link: Any = ApplicationCommunicator(LiveSocket.as_asgi(), scope)  # type: ignore[no-untyped-call]  # asgiref ships no types for it

    async def connect(self) -> str:
        """The answer's type."""
        await self._link.send_input({"type": "websocket.connect"})
        answer = await self._link.receive_output(timeout=PATIENCE_S)
        return str(answer["type"])

    async def send(self, frame: object) -> None:
        text = frame if isinstance(frame, str) else orjson.dumps(frame).decode()
        await self._link.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self._link.send_input({"type": "websocket.receive", "bytes": data})

    async def subscribe(self, **wanted: Any) -> None:
        await self.send({"type": "subscribe", "after": None, **wanted})

    async def take(self, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next frame, or `{"closed": code}`."""
        message = await self._link.receive_output(timeout=within_s)
        if message["type"] == "websocket.close":
            return {"closed": message.get("code")}
        frame: dict[str, Any] = orjson.loads(message["text"])
        return frame

    async def take_until(self, kind: str) -> dict[str, Any]:
        """The next frame of that type."""
        async with asyncio.timeout(PATIENCE_S):  # empty frames come for ever
            while True:
                frame = await self.take()
                if frame.get("type") == kind:
                    return frame

    async def numbers(self, *, last: int) -> list[int]:
        """The numbers of every event up to the frame that ends with `last`; frames must be contiguous."""
        seen: list[int] = []
        place: int | None = None
        while True:
            frame = await self.take_until("events")
            assert place is None or frame["from"] == place + 1
            place = frame["to"]
            seen += [event["seq"] for event in frame["events"]]
            if place >= last:
                return seen

    async def silent(self) -> bool:
        """Whether nothing comes for a moment."""
        return bool(await self._link.receive_nothing(timeout=0.2))

    async def leave(self) -> None:
        await self._link.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._link.wait(timeout=PATIENCE_S)


@asynccontextmanager
async def connected(hub: Hub) -> AsyncIterator[Client]:
    """A client of the operator's browser."""
    client = Client(hub, origin=f"http://{HOST}", user=OPERATOR)
    assert await client.connect() == "websocket.accept"
    try:
        yield client
    finally:
        await client.leave()
    await asyncio.sleep(0)
    assert hub.clients == 0
