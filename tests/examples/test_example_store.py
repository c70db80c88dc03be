from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.recording.store import KeyRecord, RecordingStore


def record(name: str) -> KeyRecord:
    return KeyRecord(name, {"sha256": name})


def test_the_same_bytes_are_one_object(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    sha256 = store.object_put(b"a")
    assert store.object_put(b"a") == sha256
    assert store.object_get(sha256) == b"a"
    assert len(list(tmp_path.glob("objects/*/*"))) == 1


def test_a_name_that_is_no_hash_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    assert RecordingStore(tmp_path).object_get("../../secret") is None


def test_the_first_record_of_a_key_is_kept(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    assert store.key_put("k", record("first")) == record("first")
    assert store.key_put("k", record("second")) == record("first")
    assert store.key_get("k") == record("first")
    assert store.key_get("other") is None


def test_racing_writers_of_one_key_agree(tmp_path: Path) -> None:
    stores = [RecordingStore(tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        kept = list(
            threads.map(lambda n: stores[n % 8].key_put("k", record(str(n))).body_sha256, range(64))
        )
    assert len(set(kept)) == 1
    assert not list(tmp_path.glob("incoming/*"))


def test_the_oldest_files_beyond_the_limit_go(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path, object_limit=2, key_limit=1)
    names = [store.object_put(bytes([number])) for number in range(4)]
    for age, name in enumerate(reversed(names)):
        os.utime(tmp_path / "objects" / name[:2] / f"{name}.wav", (1000 - age, 1000 - age))
    for key in ("a", "b"):
        store.key_put(key, record(key))
    store.sweep(wall_s=time.time())
    assert [store.object_exists(name) for name in names] == [False, False, True, True]
    assert len(list(tmp_path.glob("keys/*"))) == 1


def test_writing_keeps_the_store_within_its_limits(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path, object_limit=5)
    for number in range(200):
        store.object_put(str(number).encode())
    assert len(list(tmp_path.glob("objects/*/*.wav"))) == 5


def test_what_a_killed_writer_left_goes_after_a_while(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    (tmp_path / "incoming" / "left").write_bytes(b"x")
    now = time.time()
    store.sweep(wall_s=now + 30)
    assert (tmp_path / "incoming" / "left").exists()
    store.sweep(wall_s=now + 90)
    assert not (tmp_path / "incoming" / "left").exists()
