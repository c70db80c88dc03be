"""A reader that is cut again and again gets every number once."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from tests.stack.running import CHECKOUT, Feed, Up, clean_env

pytestmark = pytest.mark.stack

CUTS = 50
EACH = 1000


def writer(up: Up, name: str, seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "tests/stack/journal_writer.py", name, str(EACH), str(seed)],
        cwd=CHECKOUT,
        env=clean_env(POOL_MANAGER_DATA_DIR=str(up.data_dir), PYTHONPATH=str(CHECKOUT)),
    )


def test_fifty_cuts_while_two_processes_write_two_thousand_entries_lose_and_double_nothing(
    demo: Up, feed: Feed
) -> None:
    chance = random.Random(20111)
    place = start = feed.open(after=None)["seq"]
    writers = [writer(demo, "one", 1), writer(demo, "two", 2)]
    numbers: list[int] = []
    written = {"one": 0, "two": 0}
    cuts = 0
    try:
        while sum(written.values()) < 2 * EACH or cuts < CUTS:
            try:
                frame = feed.events(timeout=chance.uniform(0.0, 0.15) if cuts < CUTS else 20)
            except TimeoutError:
                cuts += 1
                feed.open(after=place)
                continue
            assert frame["from"] == place + 1
            place = frame["to"]
            numbers += [event["seq"] for event in frame["events"]]
            for event in frame["events"]:
                if event["actor"] in written:
                    written[event["actor"]] += 1
    finally:
        for process in writers:
            process.wait(timeout=60)
    assert numbers == list(range(start + 1, place + 1))
    assert written == {"one": EACH, "two": EACH}
    assert cuts == CUTS
