"""The one way to write: `journal.write()`.

1. Open a durable transaction (on SQLite IMMEDIATE: the write lock at once).
2. Run the caller's statements; entries recorded meanwhile are only collected.
3. As the last statements before COMMIT take the numbers from the head row and insert the entries.
   The head lock therefore lasts from here to the end of the commit, and numbers are gap-free
   and in commit order: a reader that has seen N will never later find a number below it.
4. After the commit nudge the live store. A lost nudge costs the readers 500 ms, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from django.db import connection, transaction
from django.db.models import Min

from pool_manager.core import clock
from pool_manager.journal.kinds import KINDS
from pool_manager.journal.models import Entry, Head
from pool_manager.stores import live_store

MESSAGE_MAX = 500


class Names(TypedDict, total=False):
    """What an entry speaks of, by name."""

    pool: str
    instance: str
    host: str
    zone: str


@dataclass(slots=True)
class Recorded:
    """An entry to be written; `seq` is known once the transaction has numbered it."""

    entry: Entry
    cause: Recorded | None
    seq: int | None = None


@dataclass(slots=True)
class Write:
    """An open journal transaction."""

    actor: str
    now: datetime
    recorded: list[Recorded] = field(default_factory=list)
    seq: int = 0

    def record(
        self,
        kind: str,
        message: str,
        *,
        pool: str = "",
        instance: str = "",
        host: str = "",
        zone: str = "",
        labels: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        actor: str | None = None,
        cause: Recorded | int | None = None,
    ) -> Recorded:
        """Collect an entry. `cause` is another entry of this write, or the number of an older one."""
        row = KINDS[kind]
        unknown = set(data or {}) - set(row.data)
        if unknown:
            raise KeyError(f"{kind} has no data field {sorted(unknown)}; see journal/kinds.py")
        entry = Entry(
            at=at or self.now,
            kind=kind,
            severity=row.severity,
            pool=pool,
            instance=instance,
            host=host,
            zone=zone,
            labels=dict(labels or {}),
            actor=self.actor if actor is None else actor,
            message=message[:MESSAGE_MAX],
            data=dict(data or {}),
            cause=cause if isinstance(cause, int) else None,
        )
        recorded = Recorded(entry, cause if isinstance(cause, Recorded) else None)
        self.recorded.append(recorded)
        return recorded


_open: ContextVar[Write | None] = ContextVar("journal_write", default=None)


@contextmanager
def write(*, actor: str, now: datetime | None = None, relaxed: bool = False) -> Iterator[Write]:
    """Write state and entries in one durable transaction; inside another `write` join that one.

    `relaxed` lets PostgreSQL answer before the disk has the commit, for what its owner derives
    again after a crash (the prober's verdicts); what people asked for stays durable.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    opened = Write(actor=actor, now=now or clock.now())
    token = _open.set(opened)
    try:
        with transaction.atomic(durable=True):
            if relaxed and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL synchronous_commit = off")
            yield opened
            _number_and_insert(opened)
    finally:
        _open.reset(token)
    if opened.recorded:
        live_store.nudge(opened.seq)


def _number_and_insert(opened: Write) -> None:
    if not opened.recorded:
        return
    count = len(opened.recorded)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE journal_head SET seq = seq + %s WHERE id = 1 RETURNING seq", [count])
        row = cursor.fetchone()
    last = int(row[0])
    for seq, recorded in enumerate(opened.recorded, start=last - count + 1):
        recorded.seq = recorded.entry.seq = seq
    for recorded in opened.recorded:
        if recorded.cause is not None:
            recorded.entry.cause = recorded.cause.seq
    Entry.objects.bulk_create([recorded.entry for recorded in opened.recorded], batch_size=500)
    opened.seq = last


def trim_batch(*, now: datetime, keep_days: float, keep_entries: int, batch: int) -> int:
    """Delete at most `batch` of the oldest entries that are past both limits' reach; returns how many.

    `oldest` moves with the deletion in one transaction, so that a reader is told `too_old`
    and never finds a silent hole. Deletion is by number range: the primary key, no scan.
    """
    head = Head.objects.get(id=1)
    cutoff = max(head.seq - keep_entries + 1, head.oldest)
    expired = now.astimezone(UTC) - timedelta(days=keep_days)
    window = Entry.objects.filter(seq__gte=head.oldest, seq__lt=head.oldest + batch)
    # `at` need not rise with `seq`: keep everything from the first entry that is young enough
    young = window.filter(at__gte=expired).aggregate(first=Min("seq"))["first"]
    by_age = young if young is not None else min(head.oldest + batch, head.seq + 1)
    until = min(max(cutoff, by_age), head.oldest + batch)
    if until <= head.oldest:
        return 0
    with transaction.atomic(durable=True):
        deleted, _ = Entry.objects.filter(seq__gte=head.oldest, seq__lt=until).delete()
        # 0 rows: another trim was faster; what it left must not lose more than `oldest` says
        if not Head.objects.filter(id=1, oldest=head.oldest).update(oldest=until):
            transaction.set_rollback(True)
            return 0
    return deleted
