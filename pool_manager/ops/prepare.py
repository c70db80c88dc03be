"""What must be true before the processes start: tables, static files, the operator's account."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from pool_manager.access import services as access
from pool_manager.ops.data_dir import HASH_FILE
from pool_manager.stores import live_store

FINGERPRINT = "fingerprint"


class PrepareError(Exception):
    """The installation cannot be brought up to date; the message says what to do."""


def database_prepare() -> None:
    """Migrate, if anything is to be migrated."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        name = settings.DATABASES["default"]["NAME"]
        raise PrepareError(
            f"the database {name} cannot be migrated ({error}); check DATABASE_URL, free disk space"
            " and the file's owner, then start again: nothing was half done"
        ) from error


def static_prepare() -> None:
    """Collect static files, if they changed since the last time."""
    root = Path(settings.STATIC_ROOT)
    fresh = _fingerprint()
    note = root / FINGERPRINT
    if note.is_file() and note.read_text() == fresh:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    note.write_text(fresh)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            stat = os.stat(storage.path(name))  # noqa: PTH116  # the path is a string
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def operator_prepare(*, password: str, force: bool) -> None:
    """The operator's account, with this password if it is new or `force` says so.

    The hash is noted beside it, so that `up` can tell when its owner changed it.
    """
    stored = access.operator_ensure(password=password, force=force)
    if stored is not None:
        note = Path(settings.DATA_DIR) / HASH_FILE
        note.touch(mode=0o600)
        note.write_text(stored)


def live_store_check() -> None:
    """A live store that was named must answer now; later it may come and go."""
    try:
        live_store.client().ping()
    except live_store.Error as error:
        raise PrepareError(
            f"REDIS_URL: no server answers at {settings.REDIS_URL} ({error}); start it, or unset"
            " REDIS_URL to use the bundled one"
        ) from error
