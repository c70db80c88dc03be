"""Pure rules of operation: back-off, and which periodic work is due."""

from __future__ import annotations

from dataclasses import dataclass

BACKOFF_FIRST_S = 0.25
BACKOFF_MAX_S = 10.0


def restart_delay_s(failures: int) -> float:
    """Seconds to wait before the n-th start in a row of something that keeps dying."""
    return float(min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(max(0, failures - 1), 16)))


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work of the clock: `name` every `every_s` seconds."""

    name: str
    every_s: int

    def bucket(self, unix_s: float) -> int:
        """The number of the period that this moment lies in: equal clocks agree on it."""
        return int(unix_s // self.every_s)
