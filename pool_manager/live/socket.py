"""The live socket `/ws/live/`: a place in the journal and a filter for each client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from pool_manager.core import clock
from pool_manager.core.errors import Invalid
from pool_manager.journal import selectors as journal
from pool_manager.live.hub import FRAME_EVENTS_MAX, Frame, Hub, frame_encode
from pool_manager.live.rules import Filter, Subscription, same_origin, subscription_parse

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

READY_S = 5.0
IDLE_S = 5.0  # an empty frame at least this often keeps a filtered reader's place
SEND_S = 10.0  # a client that takes nothing for so long is closed and may resume
FRAME_BYTES_MAX = 16_384

CLOSE_BAD_FRAME = 4400
CLOSE_SLOW = 4008
CLOSE_AGAIN = 1013  # RFC 6455 registry: try again later


def in_thread(call: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Run a read of the database in a thread of its own, with its connection closed afterwards."""
    wrapped: Callable[P, Awaitable[T]] = database_sync_to_async(call, thread_sensitive=False)
    return wrapped


def hub_of(scope: dict[str, Any]) -> Hub:
    """The hub that the lifespan put into the scope's state."""
    hub: Hub = scope["state"]["hub"]
    return hub


class NoSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """Any other path: refused before it is accepted."""

    async def connect(self) -> None:
        await self.close()


class TrimmedError(Exception):
    """What follows a reader's place was deleted while it read."""

    def __init__(self, oldest: int) -> None:
        super().__init__(oldest)
        self.oldest = oldest


class LiveSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One client. `_place` is the last journal number it was sent or that was filtered out."""

    async def connect(self) -> None:
        self._sender: asyncio.Task[None] | None = None
        headers = dict(self.scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        user = self.scope.get("user")
        if not same_origin(origin=origin, host=host) or not getattr(user, "is_active", False):
            await self.close()  # before accept: the handshake is answered 403
            return
        await self.accept()

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  # Channels' signature
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._sender

    async def receive(
        self,
        text_data: str | None = None,
        bytes_data: bytes | None = None,  # noqa: ARG002  # Channels' signature
    ) -> None:
        try:
            frame = _frame_parse(text_data)
            if frame["type"] == "ping":
                await self.send(text_data='{"type":"pong"}')
            else:
                await self._subscribe(subscription_parse(frame))
        except Invalid as fault:
            answer = {"type": "error", "code": fault.code, "errors": fault.faults}
            await self.send(text_data=orjson.dumps(answer).decode())
            await self.close(code=CLOSE_BAD_FRAME)

    async def _subscribe(self, subscription: Subscription) -> None:
        """Start sending, or start anew: a second subscribe replaces the first."""
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
        self._sender = asyncio.create_task(self._send_all(subscription))

    async def _send_all(self, subscription: Subscription) -> None:
        hub = hub_of(self.scope)
        waker = hub.subscribe()
        try:
            await self._follow(hub, waker, subscription)
        except TimeoutError:
            await self._close(CLOSE_SLOW)
        except TrimmedError as gone:
            # retention overtook this reader: it has to fetch the page's state again
            answer = {"type": "too_old", "oldest": gone.oldest}
            with contextlib.suppress(TimeoutError):
                await self._write(orjson.dumps(answer).decode())
            await self._close(CLOSE_SLOW)
        except DatabaseError as error:
            # this place needs the table: better closed and back again than open and silent
            logger.warning("a reader's place cannot be read: %s", error)
            await self._close(CLOSE_AGAIN)
        finally:
            hub.unsubscribe(waker)

    async def _follow(self, hub: Hub, waker: asyncio.Event, subscription: Subscription) -> None:
        """Send until cancelled.

        1. hello with the newest number; too_old if the place asked for is gone or never was.
        2. Each time something is new: the events that follow the place, then state, then status.
        3. When the filter leaves everything out, an empty frame every `IDLE_S` moves the place on.
        """
        state, status = hub.state_version, 0  # before hello: what comes after it is not missed
        place = await self._begin(hub, subscription)
        sent_at = time.monotonic()
        while True:
            waker.clear()
            frame = await self._frame(hub, subscription.filter, place)
            idle = time.monotonic() - sent_at >= IDLE_S
            if frame.matched or idle:
                await self._write(frame.text)
                place, sent_at = frame.to, time.monotonic()
            if hub.state_version > state:
                text = hub.state_frame(subscription.filter.pools, state)
                state = hub.state_version
                if text is not None:
                    await self._write(text)
            if hub.status_version > status:
                status = hub.status_version
                await self._write(hub.status_frame())
            if frame.matched and frame.to < hub.ring.last:
                continue
            with contextlib.suppress(TimeoutError):
                rest = max(0.05, sent_at + IDLE_S - time.monotonic())
                await asyncio.wait_for(waker.wait(), timeout=rest)

    async def _begin(self, hub: Hub, subscription: Subscription) -> int:
        await self._ready(hub)
        head = hub.ring.last
        await self._write(
            orjson.dumps(
                {
                    "type": "hello",
                    "seq": head,
                    "server_time": clock.now().isoformat(timespec="milliseconds"),
                }
            ).decode()
        )
        after = subscription.after
        if after is None:
            return head
        if after > head:
            # another journal, or this web lags: from now on, and say so
            after = await self._head_if_known(after, head)
        oldest = await self._oldest(hub, after)
        if oldest is not None:
            await self._write(orjson.dumps({"type": "too_old", "oldest": oldest}).decode())
            return head
        return after

    async def _ready(self, hub: Hub) -> None:
        """A web process that has just started knows no number yet; it knows within a moment."""
        waker = hub.subscribe()
        try:
            async with asyncio.timeout(READY_S):
                while not hub.ready:
                    waker.clear()
                    await waker.wait()
        except TimeoutError:
            raise DatabaseError("the journal was not read yet") from None
        finally:
            hub.unsubscribe(waker)

    async def _head_if_known(self, after: int, head: int) -> int:
        """`after`, if the journal really reached it (a read-your-writes page ahead of this tailer)."""
        with contextlib.suppress(Exception):
            bounds = await in_thread(journal.bounds)()
            return after if after <= bounds.seq else head
        return head

    async def _oldest(self, hub: Hub, after: int) -> int | None:
        """The oldest number left, if what follows `after` is gone; None if it can be had."""
        if after + 1 >= hub.ring.first:
            return None
        bounds = await in_thread(journal.bounds)()
        return bounds.oldest if after + 1 < bounds.oldest else None

    async def _frame(self, hub: Hub, wanted: Filter, place: int) -> Frame:
        """The next frame for this place, encoded once for all who stand at it.

        Pages in which the filter leaves everything out are skipped here, so that a match far ahead
        is found at once.
        """
        shared = hub.events_frame(wanted, place)
        if shared is not None and (shared.matched or shared.to >= hub.ring.last):
            return shared
        reached = place
        while True:
            events = hub.ring.slice(reached, limit=FRAME_EVENTS_MAX)
            if events is None:
                events = await self._table(reached)
            reached = events[-1]["seq"] if events else reached
            frame = frame_encode(events, wanted, start=place + 1, to=reached)
            if frame.matched or not events or reached >= hub.ring.last:
                return frame

    async def _table(self, after: int) -> list[dict[str, Any]]:
        rows = await in_thread(journal.entries_after)(after, limit=FRAME_EVENTS_MAX)
        if rows and rows[0].seq != after + 1:
            raise TrimmedError(rows[0].seq)
        return [row.as_event() for row in rows]

    async def _close(self, code: int) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.close(code=code), timeout=SEND_S)

    async def _write(self, text: str) -> None:
        await asyncio.wait_for(self.send(text_data=text), timeout=SEND_S)


def _frame_parse(text: str | None) -> dict[str, Any]:
    if text is None or len(text) > FRAME_BYTES_MAX:
        raise Invalid({"frame": f"send a JSON text of at most {FRAME_BYTES_MAX} characters"})
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid({"frame": f"this is not JSON: {error}"}) from error
    if not isinstance(frame, dict) or frame.get("type") not in ("subscribe", "ping"):
        raise Invalid({"type": "send an object whose type is subscribe or ping"})
    return frame
