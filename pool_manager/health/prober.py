"""The Django parent of the probing engine.

Targets go in, reports come out; verdicts go to SQL in batches, probe state to the live store.
SQL runs in a thread of its own: while it is stuck the engine goes on and transitions are held.

1. `_watch`: the lease, and twice a second the journal for changes of what is to be probed.
2. `_receive`: reports → board, runs, held transitions.
3. `_write`: held transitions → one journal transaction; again until the database takes them.
4. `_publish`: deltas to sockets five times a second, whole pools for pages once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import DataError, IntegrityError, connection

from pool_manager.core import clock
from pool_manager.health import selectors, services
from pool_manager.health.board import Board
from pool_manager.health.engine.wire import AllowNetworks, Report, Target, encode, encode_targets
from pool_manager.health.engine_process import EngineProcess
from pool_manager.health.held import Held
from pool_manager.health.runs import Run, Runs
from pool_manager.journal import selectors as journal
from pool_manager.stores import live_store
from pool_manager.stores.leases import Lease

logger = logging.getLogger(__name__)
T = TypeVar("T")

WATCH_S = 0.5
RESYNC_S = 10.0
RETRY_S = 0.5
PUBLISH_S = 0.2
WHOLE_EVERY = 5
HISTORY_S = 5.0
LEASE_MS = 2000
NOTE_S = 2.0
STATUS_KEPT_S = 60
STATE_KEPT_S = 3600
JOURNAL_PAGE = 500
STALL_NOTE_MS = 250.0
STALL_NOTE_EVERY_S = 60.0

# what changes the set of targets or how they are probed
RELEVANT = (
    "pool.",
    "instance.registered",
    "instance.changed",
    "instance.in_service",
    "instance.terminat",
    "instance.lost",
)


class EngineGone(Exception):
    """The engine died: so do we, and the supervisor starts both anew."""


class Prober:
    """One prober process; `name` is its identity among probers."""

    def __init__(self, *, name: str) -> None:
        self.actor = f"prober@{name}"
        self._lease = Lease(name="prober", owner=name, ttl_ms=LEASE_MS)
        self._sql = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")
        self._store = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-store")
        self._board = Board()
        self._runs = Runs()
        self._held = Held()
        self._sent: dict[str, Target] = {}
        self._journal_seen = -1
        self._seeded = False  # the strips begin with what the history has
        self._report = Report(mono=0.0)
        self._lag_ms = 0.0  # worst since the last status
        self._stall_ms = 0.0  # worst since the last note
        self._stalls_noted = 0
        self._doubts: dict[uuid.UUID, int] = {}  # open doubts by the number of their entry
        self._stall_noted_at = -STALL_NOTE_EVERY_S

    async def run(self) -> None:
        """Probe until cancelled; raises `EngineGone` when the engine dies."""
        self._engine = EngineProcess()
        try:
            await self._engine.send([encode(AllowNetworks(tuple(settings.PROBE_ALLOW)))])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._told("started"))
                for task in (self._receive, self._watch, self._write, self._publish):
                    group.create_task(task())
        finally:
            await self._end()

    async def _end(self) -> None:
        """Write what is held, if the database takes it at once; give the lease back."""
        self._engine.close()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._flush(), timeout=NOTE_S)
            await asyncio.wait_for(self._history(last=True), timeout=NOTE_S)
        await self._told("stopped")
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._in(self._store, self._lease.release), timeout=1)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._in(self._sql, connection.close), timeout=1)
        self._sql.shutdown(wait=False, cancel_futures=True)
        self._store.shutdown(wait=False, cancel_futures=True)

    async def _in(self, thread: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, call)

    async def _in_sql(self, call: Callable[[], T]) -> T:
        """A call into the database; its connection is dropped after any fault."""
        try:
            return await self._in(self._sql, call)
        except Exception:
            with contextlib.suppress(Exception):
                await self._in(self._sql, connection.close)
            raise

    async def _receive(self) -> None:
        while True:
            messages = await self._engine.messages()
            if not messages:
                raise EngineGone(f"the probing engine (pid {self._engine.pid}) is gone")
            for message in messages:
                if isinstance(message, Report):
                    self._take(message)

    def _take(self, report: Report) -> None:
        self._report = report
        # a stall shows in one report only: keep the worst until it is told
        self._lag_ms = max(self._lag_ms, report.lag_ms)
        self._stall_ms = max(self._stall_ms, report.lag_ms)
        self._board.signals_add(report.signals)
        self._board.results_add(report.results)
        self._runs.add(report.results)
        wall = time.time() - time.monotonic()
        self._held.add(
            services.Observed(
                instance=uuid.UUID(signal.id),
                kind=signal.kind,
                at=datetime.fromtimestamp(signal.at + wall, UTC),
                reason=signal.reason,
                count=signal.count,
                of=signal.of,
                latency_ms=signal.latency_ms,
                boot_id=signal.boot_id,
            )
            for signal in report.signals
            if signal.kind != "tripwire_off"
        )

    async def _told(self, word: str) -> None:
        """Journal that we started or stopped; not worth waiting or failing for."""
        note = partial(
            services.control_note,
            kind=f"control.{word}",
            message=f"prober {self.actor.removeprefix('prober@')} {word}",
            data={"process": "prober", "pid": os.getpid()},
            actor=self.actor,
        )
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._in_sql(note), timeout=NOTE_S)

    async def _watch(self) -> None:
        """Keep the lease and the targets; a change of settings reaches the engine within a second."""
        synced_at = -RESYNC_S
        while True:
            held = await self._in(self._store, self._lease.renew)
            try:
                if not held:
                    await self._targets_send([])
                    synced_at = -RESYNC_S
                elif time.monotonic() - synced_at >= RESYNC_S or await self._changed():
                    began = time.monotonic()
                    await self._sync()
                    synced_at = began
            except TimeoutError as error:
                raise EngineGone(f"the probing engine takes no orders: {error}") from error
            except Exception as error:  # noqa: BLE001  # whatever the database throws: keep what we have
                logger.warning("targets cannot be read, probing goes on: %s", error)
            await asyncio.sleep(WATCH_S)

    async def _changed(self) -> bool:
        """Whether the journal tells of anything that changes the targets since the last look."""
        entries = await self._in_sql(
            lambda: journal.entries_after(self._journal_seen, limit=JOURNAL_PAGE)
        )
        if entries:
            self._journal_seen = entries[-1].seq
        return len(entries) == JOURNAL_PAGE or any(
            entry.kind.startswith(RELEVANT) for entry in entries
        )

    async def _sync(self) -> None:
        # the number first: what is written while we read is seen by the next look
        bounds, rows = await self._in_sql(lambda: (journal.bounds(), selectors.targets_read()))
        self._journal_seen = max(self._journal_seen, bounds.seq)
        await self._targets_send(rows)
        if not self._seeded:
            self._seeded = True
            recent = partial(selectors.strips_recent, now=clock.now())
            self._board.strips_seed(await self._in_sql(recent))

    async def _targets_send(self, rows: Sequence[tuple[Target, str]]) -> None:
        wanted = {target.id: target for target, _ in rows}
        drop = [key for key in self._sent if key not in wanted]
        changed = [
            target
            for key, target in wanted.items()
            if _settings(self._sent.get(key)) != _settings(target)
        ]
        self._board.targets_set(
            (target.id, pool, target.health, target.fall, target.kind) for target, pool in rows
        )
        self._heal(rows)
        self._runs.forget(keep=wanted)
        for target in changed:
            self._board.tripwire_reset(target.id)  # the engine watches it anew
        if drop or changed:
            await self._engine.send(encode_targets(changed, drop))
        self._sent = wanted

    def _heal(self, rows: Sequence[tuple[Target, str]]) -> None:
        """Where the database says otherwise than the engine, say it again: a verdict was dropped."""
        now = datetime.fromtimestamp(time.time(), UTC)
        self._held.add(
            services.Observed(
                instance=uuid.UUID(target.id), kind=health, at=now, reason=reason, count=target.fall
            )
            for target, _ in rows
            for health, reason in [self._board.verdict(target.id)]
            if health in {"up", "down"} and health != target.health
        )

    async def _write(self) -> None:
        history_at = time.monotonic()
        while True:
            await self._held.wait(timeout=HISTORY_S)
            try:
                await self._flush()
                if time.monotonic() - history_at >= HISTORY_S:
                    history_at = time.monotonic()
                    await self._history()
            except Exception as error:  # noqa: BLE001  # whatever the database throws: hold and try again
                logger.warning("%d transitions held: %s", len(self._held), error)
                await asyncio.sleep(RETRY_S)

    async def _flush(self) -> None:
        batch = self._held.take()
        if not batch:
            return
        try:
            await self._in_sql(partial(self._observed, batch))
        except (DataError, IntegrityError):
            await self._in_sql(partial(self._one_by_one, batch))
        except BaseException:
            self._held.give_back(batch)
            raise

    def _observed(self, batch: Sequence[services.Observed]) -> None:
        services.observed_write(batch=batch, actor=self.actor, doubts=self._doubts)

    def _one_by_one(self, batch: Sequence[services.Observed]) -> None:
        """One transition that the database refuses must not hold up the others for ever."""
        for seen in batch:
            try:
                self._observed([seen])
            except (DataError, IntegrityError):
                logger.exception("given up, %s", seen)

    async def _history(self, *, last: bool = False) -> None:
        now = time.monotonic()
        runs = self._runs.take(now=now, last=last)
        if runs:
            wall = time.time() - now
            rows = [_row(run, wall) for run in runs]
            try:
                await self._in_sql(lambda: services.history_write(runs=rows))
            except BaseException:
                self._runs.give_back(runs)
                raise
        await self._stall_note(now)

    async def _stall_note(self, now: float) -> None:
        """Our own stalls are events too, at most one a minute."""
        report = self._report
        if report.stalls <= self._stalls_noted or now - self._stall_noted_at < STALL_NOTE_EVERY_S:
            return
        lag_ms = round(self._stall_ms, 1)
        if lag_ms < STALL_NOTE_MS:
            return
        self._stalls_noted, self._stall_noted_at = report.stalls, now
        self._stall_ms = 0.0
        message = f"the prober stood still for {lag_ms:.0f} ms; no target was judged for it"
        await self._in_sql(
            lambda: services.control_note(
                kind="control.prober_stalled",
                message=message,
                data={"lag_ms": lag_ms},
                actor=self.actor,
            )
        )

    async def _publish(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(PUBLISH_S)
            if not self._lease.held:
                continue
            turn += 1
            deltas = self._board.deltas()
            wall = time.time() - time.monotonic()
            whole = self._board.pools(wall=wall) if turn % WHOLE_EVERY == 0 else None
            await self._in(self._store, partial(self._store_write, deltas, whole))

    def _store_write(self, deltas: Mapping[str, Any], whole: Mapping[str, Any] | None) -> None:
        """Never raises: while the live store is away pages show older state, and say so."""
        now = time.time()
        with contextlib.suppress(live_store.Error):
            pipe = live_store.client().pipeline(transaction=False)
            beat = whole is not None  # once a second readers hear of us, news or not
            if deltas or beat:
                body = {"as_of": now, "pools": deltas, "beat": beat}
                pipe.publish(live_store.STATE_CHANNEL, orjson.dumps(body))
            if whole is not None:
                for slug, rows in whole.items():
                    pipe.set(selectors.probes_key(slug), orjson.dumps(rows), ex=STATE_KEPT_S)
                pipe.set(selectors.STATUS_KEY, orjson.dumps(self._status(now)), ex=STATUS_KEPT_S)
            pipe.execute()

    def _status(self, now: float) -> dict[str, Any]:
        report = self._report
        lag_ms, self._lag_ms = self._lag_ms, 0.0
        return {
            "at": now,
            "lag_ms": lag_ms,
            "targets": report.targets,
            "probes": report.probes,
            "stalls": report.stalls,
        }


def _settings(target: Target | None) -> tuple[object, ...] | None:
    """What the engine must know; health and boot id are its own business once it has them."""
    if target is None:
        return None
    return (
        target.address,
        target.port,
        target.kind,
        dict(target.params),
        target.interval_ms,
        target.timeout_ms,
        target.rise,
        target.fall,
        target.fast_ms,
        target.recheck_ms,
    )


def _row(run: Run, wall: float) -> services.RunRow:
    if run.started_wall is None:
        run.started_wall = run.started + wall
    return services.RunRow(
        instance=uuid.UUID(run.instance),
        started_at=datetime.fromtimestamp(run.started_wall, UTC),
        last_at=datetime.fromtimestamp(run.last + wall, UTC),
        ok=run.ok,
        reason=run.reason,
        count=run.count,
        latency_ms=run.latency_ms,
    )


def prober_lost_note(*, name: str, status: str) -> None:
    """Journal that the engine died; never raises, the restart matters more."""
    with contextlib.suppress(Exception):
        services.control_note(
            kind="control.prober_lost",
            message=f"the probing engine died ({status}); it is being started anew",
            data={"status": status},
            actor=f"prober@{name}",
        )
    logger.error("the probing engine died at %s: %s", clock.now().isoformat(), status)
