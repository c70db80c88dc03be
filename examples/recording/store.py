"""A bounded content-addressed store that several processes may share.

    objects/ab/abcd….wav   a recording under the hash of its bytes
    keys/0123….json        what was answered for an idempotency key
    incoming/…             files being written

A file appears whole or not at all: it is written aside, then renamed (objects: the same
content may be written twice) or linked (keys: the first one wins).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHA256 = re.compile(r"[0-9a-f]{64}")
OBJECT_LIMIT = 500
KEY_LIMIT = 2_000
SWEEP_EVERY = 100  # writes; the bounds are exceeded by at most this many a process
ABANDONED_S = 60.0


@dataclass(frozen=True, slots=True)
class KeyRecord:
    body_sha256: str
    answer: dict[str, object]


class RecordingStore:
    def __init__(
        self, root: Path, *, object_limit: int = OBJECT_LIMIT, key_limit: int = KEY_LIMIT
    ) -> None:
        self._objects = root / "objects"
        self._keys = root / "keys"
        self._incoming = root / "incoming"
        self._object_limit = object_limit
        self._key_limit = key_limit
        self._writes = itertools.count(1)
        for folder in (self._objects, self._keys, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)
        self.sweep(wall_s=time.time())

    def object_put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._object_path(sha256)
        with suppress(FileNotFoundError):
            os.utime(path)  # used again: the last to be swept
            return sha256
        path.parent.mkdir(exist_ok=True)
        self._write_aside(data).replace(path)
        self._count_write()
        return sha256

    def object_get(self, sha256: str) -> bytes | None:
        if not SHA256.fullmatch(sha256):
            return None
        try:
            return self._object_path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def object_exists(self, sha256: str) -> bool:
        return bool(SHA256.fullmatch(sha256)) and self._object_path(sha256).is_file()

    def key_get(self, key: str) -> KeyRecord | None:
        try:
            record = json.loads(self._key_path(key).read_bytes())
        except FileNotFoundError:
            return None
        return KeyRecord(record["body_sha256"], record["answer"])

    def key_put(self, key: str, record: KeyRecord) -> KeyRecord:
        """Keep the record unless the key has one; return the one that is kept."""
        content = {"body_sha256": record.body_sha256, "answer": record.answer}
        aside = self._write_aside(json.dumps(content).encode())
        try:
            os.link(aside, self._key_path(key))
        except FileExistsError:
            # The twin was faster; None only if a sweep came in between.
            return self.key_get(key) or record
        finally:
            aside.unlink(missing_ok=True)
        self._count_write()
        return record

    def sweep(self, *, wall_s: float) -> None:
        """Delete the oldest files beyond the limits, and what killed writers left behind."""
        _delete_oldest(self._objects.glob("*/*.wav"), keep=self._object_limit)
        _delete_oldest(self._keys.glob("*.json"), keep=self._key_limit)
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if wall_s - path.stat().st_mtime > ABANDONED_S:
                    path.unlink()

    def _count_write(self) -> None:
        if next(self._writes) % SWEEP_EVERY == 0:
            self.sweep(wall_s=time.time())

    def _write_aside(self, data: bytes) -> Path:
        path = self._incoming / secrets.token_hex(16)
        path.write_bytes(data)
        return path

    def _object_path(self, sha256: str) -> Path:
        return self._objects / sha256[:2] / f"{sha256}.wav"

    def _key_path(self, key: str) -> Path:
        return self._keys / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _delete_oldest(paths: Iterator[Path], *, keep: int) -> None:
    aged: list[tuple[float, Path]] = []
    for path in paths:
        with suppress(FileNotFoundError):  # another process swept it
            aged.append((path.stat().st_mtime, path))
    aged.sort()
    for _, path in aged[: max(0, len(aged) - keep)]:
        path.unlink(missing_ok=True)
