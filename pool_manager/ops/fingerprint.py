"""What a preparation depended on: code, migrations, static files and which database."""

from __future__ import annotations

import hashlib
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
    if env.database_url or not (database.is_file() and collected.is_file()):
        return None
    return digest.hexdigest()


def _files(base_dir: Path) -> Iterator[Path]:
    for name in WATCHED:
        for path in sorted((base_dir / name).rglob("*")):
            if path.suffix in {".py", ".js", ".css", ".svg", ".txt"}:
                yield path
