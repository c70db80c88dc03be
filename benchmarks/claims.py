"""What a benchmark says: claims with their bounds, beside a peer measured in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """`value` should be at most `bound`; `runs` is how many measurements stand behind it."""

    name: str
    value: float
    bound: float
    unit: str
    runs: int
    peer: str = ""
    peer_value: float | None = None

    @property
    def holds(self) -> bool:
        return self.value <= self.bound

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


@dataclass(slots=True)
class Outcome:
    """One benchmark's claims, and what it could not decide, with the reason."""

    claims: list[Claim] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], unit: str) -> str:
    """How noisy it was: minimum, median, 99th percentile and maximum."""
    return (
        f"min {min(values):.1f} · median {statistics.median(values):.1f}"
        f" · p99 {quantile(values, 0.99):.1f} · max {max(values):.1f} {unit} (n = {len(values)})"
    )
