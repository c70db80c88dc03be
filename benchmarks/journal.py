"""What the journal costs: entries a second through `journal.write()` from two processes, and batches.

The peer is the same insert without the journal: one bare transaction with the same rows in a table of
the same shape, numbered by the database's own sequence, in alternating rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.claims import Claim, Outcome, spread
from tests.stack.running import CHECKOUT, clean_env

BATCHES = (1, 20, 200)
RATIO_MAX = 2.0


def run(*, quick: bool) -> Outcome:
    outcome = Outcome()
    rounds, entries = (3, 1000) if quick else (5, 4000)
    with tempfile.TemporaryDirectory(prefix="pm-bench-") as directory:
        env = clean_env(POOL_MANAGER_DATA_DIR=directory, PYTHONPATH=str(CHECKOUT))
        _call(env, ["manage.py", "migrate", "-v0"])
        for batch in BATCHES:
            ours, bare = [], []
            for _ in range(rounds):
                ours.append(_measure(env, "journal", entries, batch))
                bare.append(_measure(env, "bare", entries, batch))
            ratio = statistics.median(ours) / statistics.median(bare)
            outcome.claims.append(
                Claim(
                    f"CPU of a journal entry, batches of {batch}, over a bare insert",
                    ratio, RATIO_MAX, "x", rounds, "bare insert, µs", statistics.median(bare),
                )
            )  # fmt: skip
            outcome.shown.append(f"batch {batch:>3}, journal: {spread(ours, 'µs CPU an entry')}")
            outcome.shown.append(f"batch {batch:>3}, bare:    {spread(bare, 'µs CPU an entry')}")
    return outcome


def _call(env: dict[str, str], arguments: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT, env=env, check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout


def _measure(env: dict[str, str], how: str, entries: int, batch: int) -> float:
    said = _call(env, ["-m", "benchmarks.journal", how, str(entries), str(batch)])
    return float(json.loads(said)["cpu_us"])


def _write(how: str, entries: int, batch: int) -> None:
    """The measured process: prints its CPU time an entry."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")
    django.setup()
    from django.db import connection, transaction

    from pool_manager.core import clock
    from pool_manager.journal import services as journal
    from pool_manager.journal.models import Entry

    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM journal_entry")
        top = int(cursor.fetchone()[0])

    def by_journal() -> None:
        with journal.write(actor="bench") as tx:
            for _ in range(batch):
                tx.record("config.changed", "a benchmark wrote", data={"what": "bench"})

    def by_hand(number: int) -> None:
        with transaction.atomic(durable=True):
            Entry.objects.bulk_create(
                Entry(
                    seq=10**9 + top + number + i, at=now, kind="config.changed", severity="notice",
                    actor="bench", message="a benchmark wrote", data={"what": "bench"},
                )
                for i in range(batch)
            )  # fmt: skip

    began = time.process_time()
    for number in range(0, entries, batch):
        by_journal() if how == "journal" else by_hand(number)
    used = time.process_time() - began
    Entry.objects.filter(seq__gt=10**9).delete()
    sys.stdout.write(json.dumps({"cpu_us": 1e6 * used / entries}))


if __name__ == "__main__":
    _write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
