"""How long `up` takes on an existing data dir until `/readyz` answers."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import requests

from benchmarks.claims import Claim, Outcome, spread
from tests.stack.running import up_running, up_start
from tests.waiting import wait_until

READY_S = 3.0
PORT = 8790


def run(*, quick: bool) -> Outcome:
    rounds = 3 if quick else 5
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="pm-bench-") as directory:
        data_dir = Path(directory) / "d"
        began = time.monotonic()
        with up_running(data_dir, "--demo", "--port", str(PORT)):
            first = time.monotonic() - began
        seconds = [_once(data_dir) for _ in range(rounds)]
    outcome.claims.append(
        Claim(
            "up on an existing data dir → /readyz, median",
            statistics.median(seconds), READY_S, "s", rounds,
            "the first start of the same data dir", first,
        )
    )  # fmt: skip
    outcome.shown.append(f"later starts, with the demo: {spread(seconds, 's')}")
    return outcome


def _once(data_dir: Path) -> float:
    began = time.monotonic()
    up = up_start(data_dir, "--demo", "--port", str(PORT))
    try:
        wait_until(_ready, seconds=30, what="/readyz answers")
        took = time.monotonic() - began
        up.wait_announced()
        return took
    finally:
        up.stop()
        if up.process.stdout:
            up.process.stdout.close()


def _ready() -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{PORT}/readyz", timeout=1).status_code == 200
    except requests.RequestException:
        return False
