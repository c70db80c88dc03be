"""What an instance's state is called on the screen; static/js/states.js says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

WORDS: Mapping[str, str] = {
    "down": "down",
    "doubt": "in doubt",
    "degraded": "degraded",
    "unknown": "unknown",
    "starting": "starting",
    "draining": "draining",
    "maintenance": "maintenance",
    "up": "up",
}
"""Worst first: the order of lists and bars."""

COUNTS = ("up", "doubt", "down", "degraded", "draining", "maintenance", "starting", "unknown")
"""The order of the header's counts: what is asked for most stands first, whatever its number."""


def state_of(*, life: str, override: str, health: str, failing: int) -> str:
    """The one state that counts on the screen.

    What an operator ordered comes before the verdict, since alarms stop for it; doubt comes before
    up, since it is what is about to be said.
    """
    if override == "maintenance":
        return "maintenance"
    if override == "drain" or life in {"draining", "terminating"}:
        return "draining"
    if life == "lost":
        return "down"
    if life == "launching":
        return "starting"
    if health in {"up", "degraded"} and failing:
        return "doubt"
    return health


def counted(states: Iterable[str]) -> dict[str, int]:
    """How many there are of each state, worst first, zeros included."""
    found = Counter(states)
    return {state: found[state] for state in WORDS}


def sentence(counts: Mapping[str, int]) -> str:
    """The counts in words: "10 of 12 instances up, 2 down"."""
    total = sum(counts.values())
    if not total:
        return "No instances."
    noun = "instance" if total == 1 else "instances"
    if counts["up"] == total:
        return f"All {total} {noun} up." if total > 1 else "1 instance, up."
    rest = [
        f"{number} {WORDS[state]}" for state, number in counts.items() if number and state != "up"
    ]
    return f"{counts['up']} of {total} {noun} up, {', '.join(rest)}."
