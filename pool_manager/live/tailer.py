"""One tailer a web process: reads the journal after each nudge and puts it into the hub.

1. On a nudge, or after 500 ms anyway, read `seq > last` from the primary: once per 100 ms; while
   little happens up to ten times a second sooner, so that a single death is shown at once.
2. Numbers are gap-free and in commit order, so there is nothing to repair or to sort.
3. While the database does not answer, try again every 500 ms and say so; while the live store is
   away, polling every 500 ms is all there is, and enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson
from django.db import connection

from pool_manager.journal import selectors as journal
from pool_manager.live.hub import Hub, PoolDelta
from pool_manager.live.ring import Event
from pool_manager.stores import live_store

logger = logging.getLogger(__name__)
T = TypeVar("T")

FRAME_S = 0.1
QUICK_S = 0.01
QUICK_MAX = 10.0
POLL_S = 0.5
READ_MAX = 2000
READ_S = 3.0
WARM_EVENTS = 2000


class Tailer:
    """Feeds a hub until cancelled."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._nudged = asyncio.Event()
        self._quick = QUICK_MAX  # reads that may follow the one before within QUICK_S
        self._quick_at = time.monotonic()
        # a thread of its own with its own connection: a stuck read stops only this reader
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tailer")
        self._stuck: asyncio.Future[Any] | None = None
        self._read_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; returns at once, the stores may be away."""
        self._tasks = [
            asyncio.create_task(self._tail(), name="tailer"),
            asyncio.create_task(self._listen(), name="nudges"),
        ]

    async def stop(self) -> None:
        """End both tasks and close the reader's connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._read(connection.close), timeout=1)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _read(self, call: Callable[[], T]) -> T:
        """A call in the reader's thread; TimeoutError while that thread is stuck in the database."""
        if self._stuck is not None:
            await asyncio.wait({self._stuck}, timeout=READ_S)
            if not self._stuck.done():
                raise TimeoutError(f"no answer for {READ_S:g} s")
            self._stuck = None
        future = asyncio.get_running_loop().run_in_executor(self._thread, call)
        await asyncio.wait({future}, timeout=READ_S)
        if not future.done():
            self._stuck = future
            raise TimeoutError(f"no answer within {READ_S:g} s")
        return await future

    async def _tail(self) -> None:
        while True:
            began = time.monotonic()
            try:
                full = await self._step()
            except Exception as error:  # noqa: BLE001  # whatever the database throws: try again
                self.hub.behind_s = time.monotonic() - self._read_at
                if self.hub.store_lost("database"):
                    logger.warning("journal cannot be read: %s", error)
                with contextlib.suppress(Exception):
                    await self._read(connection.close)
                await asyncio.sleep(POLL_S)
                continue
            self._read_at, self.hub.behind_s = time.monotonic(), 0.0
            self.hub.store_back("database")
            if full:
                continue
            await self._wait(began)

    async def _wait(self, began: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), timeout=POLL_S)
        rest = began + self._pace() - time.monotonic()
        if rest > 0:
            await asyncio.sleep(rest)
        self._nudged.clear()

    def _pace(self) -> float:
        """Seconds between two reads: short while the budget of quick ones lasts."""
        now = time.monotonic()
        self._quick = min(QUICK_MAX, self._quick + QUICK_MAX * (now - self._quick_at))
        self._quick_at = now
        if not self._nudged.is_set() or self._quick < 1:
            return FRAME_S
        self._quick -= 1
        return QUICK_S

    async def _step(self) -> bool:
        """Read once; True when a full page came and more is waiting."""
        if not self.hub.ready:
            bounds, events = await self._read(_newest)
            self.hub.start_at(last=bounds.seq, oldest=bounds.oldest, events=events)
            return False
        last = self.hub.ring.last
        events = await self._read(lambda: _after(last))
        if events and events[0]["seq"] != last + 1:
            # retention overtook us: begin anew at the newest, readers are told by their own reads
            self.hub.ready = False
            return True
        self.hub.events_add(events)
        return len(events) == READ_MAX

    async def _listen(self) -> None:
        """Follow nudges and probe state in the live store; reconnect for ever, once a second."""
        while True:
            client = live_store.async_client()
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(live_store.NUDGE_CHANNEL, live_store.STATE_CHANNEL)
                    self.hub.store_back("live_store")
                    self._nudged.set()
                    while True:
                        message = await pubsub.get_message(timeout=5)
                        if message is None:
                            await client.ping()
                        else:
                            self._message(message)
            except (live_store.Error, OSError, TimeoutError) as error:
                if self.hub.store_lost("live_store"):
                    logger.warning("live store is away: %s", error)
            finally:
                with contextlib.suppress(Exception):
                    await client.aclose()
            await asyncio.sleep(1)

    def _message(self, message: dict[str, Any]) -> None:
        if message["channel"] == live_store.NUDGE_CHANNEL.encode():
            self._nudged.set()
            return
        with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
            body = orjson.loads(message["data"])
            pools = {slug: PoolDelta(**delta) for slug, delta in body["pools"].items()}
            self.hub.state_add(as_of=body["as_of"], pools=pools, beat=bool(body.get("beat")))


def _newest() -> tuple[journal.Bounds, list[Event]]:
    bounds = journal.bounds()
    start = max(bounds.seq - WARM_EVENTS, bounds.oldest - 1)
    events = [entry.as_event() for entry in journal.entries_after(start, limit=WARM_EVENTS * 2)]
    last = events[-1]["seq"] if events else bounds.seq
    return journal.Bounds(seq=last, oldest=bounds.oldest), events


def _after(seq: int) -> list[Event]:
    return [entry.as_event() for entry in journal.entries_after(seq, limit=READ_MAX)]
