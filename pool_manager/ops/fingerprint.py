"""What a preparation depended on: code, migrations, static files and which database."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pool_manager.core.env import Env

WATCHED = ("pool_manager", "dashboard", "static", "requirements")


def fingerprint(base_dir: Path, env: Env) -> str | None:
    """Changes whenever anything did that migrations or static files are made of.

    A database that is no file of ours may be another one tomorrow, so with `DATABASE_URL` every
    start prepares anew; so does a start that finds its file gone.
    """
    digest = hashlib.sha256(env.redis_url.encode())
    for path in _files(base_dir):
        stat = path.stat()
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    database = env.data_dir / "pool-manager.sqlite3"
    collected = env.data_dir / "static" / "staticfiles.json"
    digest.update(_applied(database).encode())
    if env.database_url or not (database.is_file() and collected.is_file()):
        return None
    return digest.hexdigest()


def _applied(database: Path) -> str:
    """Which migrations the database has: an older copy that was put back has others."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sql:
            return str(sql.execute("SELECT count(*), max(id) FROM django_migrations").fetchone())
    except sqlite3.Error:
        return "none"


def _files(base_dir: Path) -> Iterator[Path]:
    for name in WATCHED:
        for path in sorted((base_dir / name).rglob("*")):
            if path.suffix in {".py", ".js", ".css", ".svg", ".txt"}:
                yield path
