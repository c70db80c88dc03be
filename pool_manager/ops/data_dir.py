"""The data directory of a one-machine installation: made, locked, with its secrets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PASSWORD_FILE = "operator-password"  # noqa: S105  # a file's name
SECRET_FILE = "secret_key"  # noqa: S105  # a file's name
DATABASE_FILE = "pool-manager.sqlite3"
HASH_FILE = "operator-hash"
RUNNING_FILE = "running.json"
PREPARED_FILE = "prepared"


class DataDirError(Exception):
    """The data directory cannot be used; the message says why and what to do."""


@dataclass(slots=True)
class DataDir:
    """An open, locked data directory. The lock is on the directory itself: no lock file to leave."""

    path: Path
    fd: int

    def secret_key_ensure(self) -> None:
        """The key that signs sessions: made once, kept."""
        _keep(self.path / SECRET_FILE, secrets.token_urlsafe(48))

    def password_ensure(self) -> str:
        """The operator's first password: made once, kept readable for its owner alone."""
        return _keep(self.path / PASSWORD_FILE, secrets.token_urlsafe(12))

    def password_keep(self, password: str) -> None:
        """Remember a password that was given from outside."""
        path = self.path / PASSWORD_FILE
        path.unlink(missing_ok=True)
        _keep(path, password)

    def prepared(self, fingerprint: str | None) -> bool:
        """Whether the last preparation was of this very code and database; None: never."""
        try:
            return (self.path / PREPARED_FILE).read_text() == fingerprint
        except OSError:
            return False

    def prepared_note(self, fingerprint: str | None) -> None:
        """The preparation succeeded."""
        (self.path / PREPARED_FILE).write_text(fingerprint or "")

    def password_changed(self) -> bool:
        """Whether the operator's password is another than the one kept here, as far as we can see."""
        database = self.path / DATABASE_FILE
        try:
            noted = (self.path / HASH_FILE).read_text()
            with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sql:
                row = sql.execute(
                    "SELECT password FROM auth_user WHERE username = 'admin'"
                ).fetchone()
        except (OSError, sqlite3.Error):
            return False
        return row is not None and row[0] != noted

    def running_note(self, url: str) -> None:
        """Say who runs here, for a second `up`."""
        note = {"pid": os.getpid(), "url": url}
        (self.path / RUNNING_FILE).write_text(json.dumps(note))

    def close(self) -> None:
        """Forget the note and give the lock back."""
        (self.path / RUNNING_FILE).unlink(missing_ok=True)
        os.close(self.fd)


def data_dir_open(path: Path) -> DataDir:
    """Make it if need be and lock it; `DataDirError` if it is in use or cannot be written."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DataDirError(
            f"the data directory {path} cannot be made or opened ({error.strerror});"
            " choose another with --data-dir"
        ) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise DataDirError(
            f"the data directory {path} is in use{_by_whom(path)}; stop that one, or choose"
            " another with --data-dir"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        os.close(fd)
        raise DataDirError(
            f"the data directory {path} is not writable for user id {os.getuid()};"
            " change its owner, or choose another with --data-dir"
        )
    return DataDir(path, fd)


def _by_whom(path: Path) -> str:
    try:
        note: Mapping[str, object] = json.loads((path / RUNNING_FILE).read_text())
    except (OSError, ValueError):
        return ""
    return f" by process {note.get('pid')} at {note.get('url')}"


def _keep(path: Path, fresh: str) -> str:
    """The file's content; written once, mode 600 from its first moment, whole or not at all."""
    try:
        kept = path.read_text().strip()
    except FileNotFoundError:
        kept = ""
    if kept:
        return kept
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(f"{fresh}\n")
    part.replace(path)
    return fresh
