"""A reader whose connection is torn again and again gets every number once."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.stack.running import CHECKOUT, Feed, Up, clean_env

pytestmark = pytest.mark.stack

CUTS = 50
CUTS_WHILE_WRITTEN = 40
EACH = 1000
READ_S = 0.1
MOMENTS = ("right after subscribing", "right after hello", "between frames", "at any moment")


@contextlib.contextmanager
def writers(up: Up) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that write at once, each with its own run of batches."""
    env = clean_env(POOL_MANAGER_DATA_DIR=str(up.data_dir), PYTHONPATH=str(CHECKOUT))
    command = [sys.executable, "tests/stack/journal_writer.py"]
    running = [
        subprocess.Popen([*command, name, str(EACH), seed], cwd=CHECKOUT, env=env)
        for name, seed in (("one", "1"), ("two", "2"))
    ]
    try:
        yield running
        assert [process.wait(timeout=30) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait(timeout=10)


@dataclass
class Reader:
    """Keeps its place over connections; `place` is the last number of the last frame it read."""

    feed: Feed
    place: int
    numbers: list[int] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=lambda: {"one": 0, "two": 0})

    def take(self, *, timeout: float) -> None:
        frame = self.feed.events(timeout=timeout)
        assert frame["from"] == self.place + 1
        self.place = frame["to"]
        for event in frame["events"]:
            self.numbers.append(event["seq"])
            if event["actor"] in self.written:
                self.written[event["actor"]] += 1

    def follow(self, *, seconds: float) -> None:
        until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while (left := until - time.monotonic()) > 0:
                self.take(timeout=left)

    def cut(self, moment: str, *, seconds: float) -> None:
        """Come back to the place and be cut off at this moment, `seconds` later at the most."""
        self.feed.subscribe(after=self.place)
        if moment != "right after subscribing":
            self.feed.hello()
        if moment == "between frames":
            with contextlib.suppress(TimeoutError):
                self.take(timeout=1.0)
        elif moment == "at any moment":
            self.follow(seconds=seconds)
        self.feed.abort()


def test_fifty_cuts_while_two_processes_write_two_thousand_entries_lose_and_double_nothing(
    demo: Up, feed: Feed
) -> None:
    chance = random.Random(20111)
    moments = [MOMENTS[n % len(MOMENTS)] for n in range(CUTS)]
    chance.shuffle(moments)
    start = feed.open(after=None)["seq"]
    reader = Reader(feed, start)
    while_written = 0
    with writers(demo) as running:
        while not all(reader.written.values()):
            reader.take(timeout=20)
        for moment in moments:
            reader.cut(moment, seconds=chance.uniform(0.0, READ_S))
            while_written += all(process.poll() is None for process in running)
        feed.open(after=reader.place)
        while sum(reader.written.values()) < 2 * EACH:
            reader.take(timeout=20)
    assert reader.numbers == list(range(start + 1, reader.place + 1))
    assert reader.written == {"one": EACH, "two": EACH}
    assert while_written >= CUTS_WHILE_WRITTEN
    assert "Traceback" not in demo.text
