"""The verdict: a table of what outcomes make of it, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.fleet.kinds import Health
from pool_manager.health.rules import Policy, Step, Turn, Verdict, verdict_known, verdict_step

POLICY = Policy(interval_ms=1000, rise=2, fall=3, fast_ms=100, recheck_ms=20)
# o: success, x: failure, c: failure by a closed connection
TABLE = [
    ("first success admits", "unknown", "o", "up", ["up 1/1"], 1000),
    ("unknown in doubt looks soon and tells nothing", "unknown", "x", "unknown", [], 100),
    ("unknown falls", "unknown", "xxx", "down", ["down 3/3"], 1000),
    ("up stays up", "up", "ooo", "up", [], 1000),
    ("doubt begins", "up", "x", "up", ["doubt 1/3"], 100),
    ("doubt begins by a close", "up", "c", "up", ["doubt 1/3"], 20),
    ("doubt is told once", "up", "xx", "up", ["doubt 1/3"], 100),
    ("doubt clears", "up", "xxo", "up", ["doubt 1/3", "cleared 2/3"], 1000),
    ("up falls", "up", "ccc", "down", ["doubt 1/3", "down 3/3"], 1000),
    ("a success between starts the count anew", "up", "xxoxx", "up", ["doubt 1/3", "cleared 2/3", "doubt 1/3"], 100),
    ("down stays down", "down", "xxxx", "down", [], 1000),
    ("down hopes", "down", "o", "down", [], 100),
    ("down rises", "down", "oo", "up", ["up 2/2"], 1000),
    ("hope dies", "down", "oxo", "down", [], 100),
    ("degraded counts as up", "degraded", "x", "up", ["doubt 1/3"], 100),
    ("starting is not judged yet", "starting", "o", "up", ["up 1/1"], 1000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "outcomes", "health", "signals", "delay_ms"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_verdict_table(
    start: str, outcomes: str, health: str, signals: list[str], delay_ms: int
) -> None:
    steps = play(verdict_known(Health(start)), outcomes, POLICY)
    told = [f"{s.turn} {s.count}/{s.of}" for step in steps for s in step.signals]
    assert (steps[-1].verdict.health, told, steps[-1].delay_ms) == (health, signals, delay_ms)


def test_a_policy_that_never_decides_is_refused() -> None:
    with pytest.raises(ValueError, match="fall is 0; it must be at least 1"):
        Policy(fall=0)


def play(verdict: Verdict, outcomes: str, policy: Policy) -> list[Step]:
    steps: list[Step] = []
    for outcome in outcomes:
        step = verdict_step(verdict, ok=outcome == "o", closed=outcome == "c", policy=policy)
        steps.append(step)
        verdict = step.verdict
    return steps


policies = st.builds(Policy, rise=st.integers(1, 5), fall=st.integers(1, 5))
healths = st.sampled_from(list(Health))
outcome_runs = st.text("oxc", min_size=1, max_size=60)


@given(healths, outcome_runs, policies)
def test_down_takes_fall_failures_in_a_row(start: Health, run: str, policy: Policy) -> None:
    for index, step in enumerate(play(verdict_known(start), run, policy)):
        if any(signal.turn is Turn.DOWN for signal in step.signals):
            assert "o" not in run[max(0, index + 1 - policy.fall) : index + 1]
            assert index + 1 >= policy.fall


@given(outcome_runs, policies)
def test_up_from_down_takes_rise_successes_in_a_row(run: str, policy: Policy) -> None:
    verdict = verdict_known(Health.DOWN)
    oks = 0
    for outcome in run:
        before = verdict.health
        step = play(verdict, outcome, policy)[0]
        verdict = step.verdict
        oks = oks + 1 if outcome == "o" else 0
        if before is Health.DOWN and verdict.health is Health.UP:
            assert oks >= policy.rise


@given(healths, outcome_runs, policies)
def test_signals_alternate(start: Health, run: str, policy: Policy) -> None:
    opened = {Turn.DOUBT: False, Turn.UP: verdict_known(start).health is Health.UP}
    fell = verdict_known(start).health is Health.DOWN
    for step in play(verdict_known(start), run, policy):
        for signal in step.signals:
            match signal.turn:
                case Turn.DOUBT:
                    assert opened[Turn.UP]
                    assert not opened[Turn.DOUBT]
                    opened[Turn.DOUBT] = True
                case Turn.CLEARED:
                    assert opened[Turn.DOUBT]
                    opened[Turn.DOUBT] = False
                case Turn.UP:
                    assert not opened[Turn.UP]
                    opened[Turn.UP], fell = True, False
                case Turn.DOWN:
                    assert not fell
                    opened[Turn.UP], opened[Turn.DOUBT], fell = False, False, True


@given(healths, outcome_runs, policies)
def test_counts_stay_below_what_decides(start: Health, run: str, policy: Policy) -> None:
    for step in play(verdict_known(start), run, policy):
        assert step.verdict.fails < policy.fall
        assert step.verdict.oks < policy.rise
        assert not (step.verdict.fails and step.verdict.oks)
        assert 1 <= step.delay_ms <= policy.interval_ms
