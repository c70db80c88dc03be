"""The verdict: a pure state machine from probe outcomes to health words.

1. One success admits: `unknown` becomes `up`.
2. `fall` failures in a row make `unknown` or `up` become `down`; before that, `up` is *in doubt*.
3. `rise` successes in a row make `down` become `up`.
4. While something is undecided the next probe comes soon: `recheck_ms` after a closed connection,
   `fast_ms` otherwise. Decided, it comes at the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pool_manager.fleet.kinds import Health


class Turn(StrEnum):
    """What a probe outcome changed."""

    DOUBT = "doubt"
    CLEARED = "cleared"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Policy:
    """When a verdict changes and how soon the next probe comes."""

    interval_ms: int = 1000
    rise: int = 2
    fall: int = 3
    fast_ms: int = 100
    recheck_ms: int = 20

    def __post_init__(self) -> None:
        """Refuse what would never decide or never wait."""
        for name in ("interval_ms", "rise", "fall", "fast_ms", "recheck_ms"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known. Invariant: at most one of `fails` and `oks` is above 0; `up` has no `oks`."""

    health: Health = Health.UNKNOWN
    fails: int = 0
    oks: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """A change to tell others: `count` of the `of` outcomes in a row that it takes."""

    turn: Turn
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Step:
    """The new verdict, what to tell, and when to look again."""

    verdict: Verdict
    signals: tuple[Signal, ...]
    delay_ms: int


UP = Verdict(Health.UP)
DOWN = Verdict(Health.DOWN)


def verdict_known(health: Health) -> Verdict:
    """The verdict to start from when this is the last known health."""
    if health in {Health.UP, Health.DEGRADED}:
        return UP
    return DOWN if health is Health.DOWN else Verdict()


def verdict_step(verdict: Verdict, *, ok: bool, closed: bool, policy: Policy) -> Step:
    """What one outcome makes of the verdict. `closed`: the target refused or closed."""
    if ok:
        return _succeeded(verdict, policy)
    return _failed(verdict, policy, closed=closed)


def _succeeded(verdict: Verdict, policy: Policy) -> Step:
    interval = policy.interval_ms
    if verdict.health is Health.UP:
        if not verdict.fails:
            return Step(verdict, (), interval)
        return Step(UP, (Signal(Turn.CLEARED, verdict.fails, policy.fall),), interval)
    needed = policy.rise if verdict.health is Health.DOWN else 1
    oks = verdict.oks + 1
    if oks >= needed:
        return Step(UP, (Signal(Turn.UP, oks, needed),), interval)
    return Step(Verdict(verdict.health, oks=oks), (), min(policy.fast_ms, interval))


def _failed(verdict: Verdict, policy: Policy, *, closed: bool) -> Step:
    if verdict.health is Health.DOWN:
        return Step(DOWN, (), policy.interval_ms)
    fails = verdict.fails + 1
    if fails >= policy.fall:
        return Step(DOWN, (Signal(Turn.DOWN, fails, policy.fall),), policy.interval_ms)
    begun = verdict.health is Health.UP and fails == 1
    signals = (Signal(Turn.DOUBT, fails, policy.fall),) if begun else ()
    soon = policy.recheck_ms if closed else policy.fast_ms
    return Step(Verdict(verdict.health, fails=fails), signals, min(soon, policy.interval_ms))
