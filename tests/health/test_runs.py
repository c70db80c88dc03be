from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pool_manager.health.engine.wire import ResultRow
from pool_manager.health.prober import _row
from pool_manager.health.runs import REWRITE_S, Run, Runs


def outcome(ok: int | None, at: float, *, times: int = 1, key: str = "a", reason: str = "x") -> ResultRow:  # fmt: skip
    return ResultRow(key, ok, reason, times, at, None, None)


def test_equal_outcomes_are_one_run() -> None:
    runs = Runs()
    runs.add(
        [outcome(1, 1), outcome(1, 2, times=3), outcome(0, 3), outcome(None, 4), outcome(0, 5)]
    )
    taken = [(run.ok, run.reason, run.started, run.last, run.count) for run in runs.take(now=9)]
    assert taken == [(True, "", 1, 2, 4), (False, "x", 3, 5, 2)]


def test_a_run_that_goes_on_is_written_again_after_a_while() -> None:
    runs = Runs()
    runs.add([outcome(1, 1)])
    assert len(runs.take(now=0)) == 1
    assert runs.take(now=REWRITE_S - 1) == []
    assert len(runs.take(now=REWRITE_S)) == 1


def test_runs_of_what_is_no_longer_probed_end() -> None:
    runs = Runs()
    runs.add([outcome(1, 1), outcome(1, 1, key="b")])
    runs.take(now=0)
    runs.forget(keep=["b"])
    assert [run.instance for run in runs.take(now=1)] == ["a"]


def test_what_waits_for_the_database_is_bounded() -> None:
    runs = Runs(ended_max=3)
    runs.add([outcome(at % 2, at) for at in range(10)])
    assert len(runs.take(now=0)) == 4
    assert runs.lost == 6


def test_a_run_that_ended_while_it_was_written_in_vain_is_given_once() -> None:
    runs = Runs()
    runs.add([outcome(1, 1)])
    taken = runs.take(now=0)
    runs.add([outcome(0, 2)])
    runs.give_back(taken)
    again = runs.take(now=1)
    assert len(again) == len({(run.instance, run.started) for run in again}) == 2


def test_a_run_written_again_is_the_same_row_though_the_clocks_drift() -> None:
    run = Run("01a20a77-92d6-7e2b-854f-98cd032e2879", True, "", 5.0, 6.0, 2, 1.0)
    first, second = _row(run, 1_000_000.0), _row(run, 1_000_000.1)
    assert second.started_at == first.started_at


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ab"), st.sampled_from([0, 1, None]), st.integers(1, 5)),
        st.tuples(st.sampled_from(["written", "failed", "failed later"])),
        st.tuples(st.just("forget"), st.sampled_from("ab")),
    ),
    max_size=40,
)  # fmt: skip


@given(steps=STEPS)
def test_no_outcome_is_lost_or_written_twice(steps: list[tuple[str | int | None, ...]]) -> None:
    runs = Runs()
    put: Counter[str] = Counter()
    table: dict[tuple[str, float], int] = {}
    pending: list[Run] = []

    def write() -> None:
        taken = runs.take(now=now)
        keys = [(run.instance, run.started) for run in taken]
        assert len(set(keys)) == len(keys)
        table.update({(run.instance, run.started): run.count for run in taken})

    now = 0.0
    for name, *rest in steps:
        now += REWRITE_S
        if name == "add":
            key, ok, times = str(rest[0]), rest[1], int(str(rest[2]))
            runs.add([outcome(None if ok is None else int(str(ok)), now, times=times, key=key)])
            put[key] += 0 if ok is None else times
        elif name == "forget":
            runs.forget(keep=str(rest[0]))
        elif name == "failed later":
            pending = pending or runs.take(now=now)
        else:
            runs.give_back(pending)
            pending = []
            if name == "written":
                write()
            else:
                runs.give_back(runs.take(now=now))
    runs.give_back(pending)
    runs.forget(keep=[])
    now += REWRITE_S
    write()
    written: Counter[str] = Counter()
    for (instance, _), count in table.items():
        written[instance] += count
    assert +written == +put
