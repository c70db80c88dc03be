from __future__ import annotations

import datetime as dt
import uuid

import pytest

from pool_manager.fleet.models import Instance
from pool_manager.health.models import ProbeRun
from pool_manager.health.selectors import strips_recent, targets_read
from pool_manager.health.services import (
    Doubts,
    Observed,
    RunRow,
    history_trim_batch,
    history_write,
    observed_write,
)
from pool_manager.journal.models import Entry
from tests.fleet_made import instance_made

pytestmark = pytest.mark.django_db


def written(instance: Instance, *kinds: str, boot_id: str = "two", count: int = 2) -> list[tuple[int, str, int | None]]:  # fmt: skip
    """What observing `kinds`, a second apart, adds to the journal: (number, kind, cause)."""
    before = Entry.objects.count()
    observed_write(
        batch=[
            Observed(
                instance.pk, kind, instance.health_since + dt.timedelta(seconds=second),
                reason="HTTP 503", count=count, of=3, boot_id=boot_id,
            )
            for second, kind in enumerate(kinds, start=1)
        ],
        actor="prober@a",
    )  # fmt: skip
    rows = Entry.objects.filter(seq__gt=before)
    return [(row.seq, row.kind, row.cause) for row in rows]


@pytest.mark.parametrize(
    ("health", "kinds", "told"),
    [
        ("up", ["doubt"], [(1, "probe.failed", None)]),
        ("up", ["doubt", "cleared"], [(1, "probe.failed", None), (2, "probe.recovered", 1)]),
        ("up", ["doubt", "down"], [(1, "probe.failed", None), (2, "instance.down", 1)]),
        ("up", ["down", "up"], [(1, "instance.down", None), (2, "instance.up", None)]),
        (
            "up",
            ["doubt", "down", "up", "doubt", "cleared"],
            [
                (1, "probe.failed", None),
                (2, "instance.down", 1),
                (3, "instance.up", None),
                (4, "probe.failed", None),
                (5, "probe.recovered", 4),
            ],
        ),
        ("up", ["up"], []),
        ("down", ["down"], []),
        ("unknown", ["up"], [(1, "instance.up", None)]),
        ("unknown", ["boot"], []),
        ("up", ["tripwire_off"], []),
    ],
)
def test_what_is_seen_is_told(
    health: str, kinds: list[str], told: list[tuple[int, str, int | None]]
) -> None:
    assert written(instance_made(health=health), *kinds) == told


@pytest.mark.parametrize(
    ("stored", "told"), [("one", ["instance.restarted"]), ("", []), ("two", [])]
)
def test_a_restart_is_told_when_the_process_before_is_known(stored: str, told: list[str]) -> None:
    instance = instance_made(boot_id=stored)
    assert [kind for _, kind, _ in written(instance, "restarted")] == told
    assert Instance.objects.get().boot_id == "two"
    assert written(instance, "restarted") == []


def test_the_row_says_what_the_last_verdict_was() -> None:
    instance = instance_made(health="up")
    written(instance, "doubt", "down")
    instance.refresh_from_db()
    assert (instance.health, instance.health_reason) == ("down", "HTTP 503")
    down = Entry.objects.get(kind="instance.down")
    assert (down.at, down.actor) == (instance.health_since, "prober@a")
    assert down.data == {"reason": "HTTP 503", "count": 2, "was": "up"}
    assert (down.pool, down.host, down.zone) == ("recording", "a1", "zone-a")


def test_entries_follow_the_order_of_what_happened() -> None:
    instance = instance_made(health="up")
    start = instance.health_since
    batch = [
        Observed(instance.pk, kind, start + dt.timedelta(seconds=second))
        for second, kind in ((3, "up"), (1, "doubt"), (2, "down"))
    ]
    assert observed_write(batch=batch, actor="prober@a") == 3
    kinds = [row.kind for row in Entry.objects.all()]
    assert kinds == ["probe.failed", "instance.down", "instance.up"]


def test_a_batch_written_again_tells_no_verdict_twice() -> None:
    instance = instance_made(health="up")
    assert len(written(instance, "down")) == 1
    assert written(instance, "down") == []


def test_an_instance_deleted_meanwhile_is_left_out() -> None:
    gone = Observed(uuid.uuid4(), "down", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert observed_write(batch=[gone], actor="prober@a") == 0
    assert not Entry.objects.exists()


START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def run(second: int = 0, *, count: int = 1, last: int | None = None) -> RunRow:
    ended = START + dt.timedelta(seconds=second if last is None else last)
    return RunRow(
        uuid.UUID(int=1), START + dt.timedelta(seconds=second), ended, False, "x" * 999, count, None
    )


def test_a_run_written_again_is_brought_up_to_date() -> None:
    history_write(runs=[run(), run(5)])
    history_write(runs=[run(count=9, last=4)])
    rows = list(ProbeRun.objects.order_by("started_at").values_list("count", "last_at"))
    assert rows == [(9, START + dt.timedelta(seconds=4)), (1, START + dt.timedelta(seconds=5))]
    assert len(ProbeRun.objects.all()[0].reason) == 300


def test_no_runs_are_no_statement() -> None:
    history_write(runs=[])
    assert not ProbeRun.objects.exists()


def test_old_runs_leave_in_batches() -> None:
    history_write(runs=[run(second) for second in range(10)])
    now = START + dt.timedelta(hours=1, seconds=7)
    gone = [history_trim_batch(now=now, keep_hours=1, batch=4) for _ in range(3)]
    assert gone == [4, 3, 0]
    assert ProbeRun.objects.count() == 3


def test_the_terminated_are_not_probed() -> None:
    probed = instance_made(9000, health="down", boot_id="one")
    instance_made(9001, life="lost")
    instance_made(9002, life="terminating")
    instance_made(9003, life="terminated")
    targets = targets_read()
    assert [target.port for target, _ in targets] == [9000, 9001]
    target, slug = targets[0]
    assert (target.id, target.health, target.boot_id, slug) == (str(probed.pk), "down", "one", "recording")  # fmt: skip


def seen(instance: Instance, kind: str, second: int) -> Observed:
    at = instance.health_since + dt.timedelta(seconds=second)
    return Observed(instance.pk, kind, at, reason="HTTP 503", count=2, of=3)


def test_a_doubt_of_an_earlier_batch_is_the_cause_of_what_ends_it() -> None:
    instance = instance_made(health="up")
    doubts: dict[uuid.UUID, int] = {}
    observed_write(batch=[seen(instance, "doubt", 1)], actor="prober@a", doubts=doubts)
    begun = Entry.objects.get(kind="probe.failed").seq
    assert doubts == {instance.pk: begun}
    observed_write(batch=[seen(instance, "down", 2)], actor="prober@a", doubts=doubts)
    assert Entry.objects.get(kind="instance.down").cause == begun
    assert doubts == {}


def test_a_batch_that_is_not_committed_leaves_the_open_doubts_as_they_were() -> None:
    instance = instance_made(health="up")
    doubts = {instance.pk: 7}
    told = Doubts(doubts)
    assert told.end(instance.pk) == 7
    assert told.end(instance.pk) is None
    assert doubts == {instance.pk: 7}
    told.commit()
    assert doubts == {}


def test_the_newest_of_the_history_is_what_strips_begin_with() -> None:
    instance = instance_made()
    now = instance.registered_at
    history_write(
        runs=[
            RunRow(instance.pk, now - dt.timedelta(hours=1), now - dt.timedelta(minutes=50), False, "old", 9, None),
            RunRow(instance.pk, now - dt.timedelta(seconds=90), now - dt.timedelta(seconds=3), True, "", 87, 1.0),
            RunRow(instance.pk, now - dt.timedelta(seconds=2), now, False, "HTTP 503", 2, 1.0),
        ]
    )  # fmt: skip
    strip = strips_recent(now=now)[str(instance.pk)]
    assert "".join(cell for cell, _ in strip) == "." * 58 + "xx"
    assert strip[-1] == ("x", "HTTP 503")
