"""The health bar: states as shares of a line, drawn without inline style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH = 100.0


@dataclass(frozen=True, slots=True)
class Segment:
    """One state's part of the bar, in units of `WIDTH`."""

    state: str
    x: float
    width: float


def segments(counts: Mapping[str, int]) -> list[Segment]:
    """The bar from left to right: up first, then the others as `counts` orders them."""
    total = sum(counts.values())
    if not total:
        return []
    ordered = sorted(counts, key=lambda state: state != "up")
    bar: list[Segment] = []
    x = 0.0
    for state in ordered:
        if width := WIDTH * counts[state] / total:
            bar.append(Segment(state, round(x, 3), round(width, 3)))
            x += width
    return bar
