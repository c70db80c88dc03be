"""Waiting for what another process does: look often, give up at a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    look: Callable[[], T | None], *, seconds: float, what: str, every: float = 0.02
) -> T:
    """What `look` gives once it is true; fails with `what` after `seconds`."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        pause.wait(every)
