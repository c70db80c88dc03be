from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from pool_manager.journal import selectors
from pool_manager.journal import services as journal
from pool_manager.journal.models import Entry, Head

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def numbers() -> list[int]:
    return list(Entry.objects.order_by("seq").values_list("seq", flat=True))


def note(actor: str = "ada", *, count: int = 1) -> journal.Write:
    with journal.write(actor=actor) as tx:
        for _ in range(count):
            tx.record("control.started", "web started", data={"process": "web", "pid": 7})
    return tx


def test_numbers_follow_without_a_gap() -> None:
    assert [note(count=count).seq for count in (1, 3, 1, 2)] == [1, 4, 5, 7]
    assert numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert selectors.bounds() == selectors.Bounds(seq=7, oldest=1)


def test_a_write_without_entries_takes_no_number() -> None:
    with journal.write(actor="ada") as tx:
        pass
    assert tx.seq == 0
    assert selectors.bounds() == selectors.Bounds(seq=0, oldest=1)


def test_a_failed_write_leaves_no_number_and_no_entry() -> None:
    note()
    with pytest.raises(KeyError), journal.write(actor="ada") as tx:
        tx.record("zone.created", "zone z added", zone="z").entry.data["nothing"]
    assert note().seq == 2
    assert numbers() == [1, 2]
    assert not Entry.objects.filter(kind="zone.created").exists()


def test_an_inner_write_joins_the_outer() -> None:
    with journal.write(actor="ada") as outer:
        outer.record("zone.created", "zone z added", zone="z")
        with journal.write(actor="somebody else") as inner:
            assert inner is outer
            inner.record("host.created", "host h added", host="h")
        assert numbers() == []
    assert list(Entry.objects.values_list("seq", "kind", "actor")) == [
        (1, "zone.created", "ada"),
        (2, "host.created", "ada"),
    ]


def test_after_an_inner_failure_nothing_of_the_outer_stays() -> None:

    def both() -> None:
        with journal.write(actor="ada") as tx:
            tx.record("zone.created", "zone z added", zone="z")
            with journal.write(actor="ada"):
                raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        both()
    assert numbers() == []
    assert note().seq == 1


@pytest.mark.django_db(transaction=True)
def test_a_write_inside_another_transaction_is_refused() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        note()
    assert numbers() == []


def test_a_cause_of_the_same_write_becomes_its_number() -> None:
    note(count=2)
    with journal.write(actor="prober@a") as tx:
        doubt = tx.record("probe.failed", "in doubt", data={"reason": "x", "count": 1, "of": 2})
        down = tx.record("instance.down", "down", cause=doubt)
    assert (doubt.seq, down.seq) == (3, 4)
    assert Entry.objects.get(seq=4).cause == 3


def test_a_cause_may_be_the_number_of_an_older_entry() -> None:
    older = note().seq
    with journal.write(actor="ada") as tx:
        tx.record("instance.up", "up", cause=older)
    assert Entry.objects.get(seq=2).cause == older


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError, match=r"instance\.exploded"), journal.write(actor="ada") as tx:
        tx.record("instance.exploded", "no such kind")
    assert numbers() == []


def test_an_unknown_data_field_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="colour"), journal.write(actor="ada") as tx:
        tx.record("instance.down", "down", data={"reason": "x", "colour": "red"})


def test_times_need_not_rise_with_numbers() -> None:
    with journal.write(actor="prober@a", now=NOON) as tx:
        tx.record("instance.down", "later", at=NOON)
        tx.record("instance.up", "earlier", at=NOON - dt.timedelta(hours=1))
        tx.record("instance.down", "now")
    rows = selectors.entries_after(0, limit=10)
    assert [(row.seq, row.message) for row in rows] == [(1, "later"), (2, "earlier"), (3, "now")]
    assert rows[2].at == NOON


def test_a_long_message_is_cut_and_not_refused() -> None:
    with journal.write(actor="ada") as tx:
        tx.record("config.changed", "x" * 2000)
    assert len(Entry.objects.get(seq=1).message) == journal.MESSAGE_MAX


def test_an_event_shows_null_for_empty_names_and_utc_milliseconds() -> None:
    with journal.write(actor="ada", now=NOON) as tx:
        tx.record("zone.created", "zone z added", zone="z", labels={"demo": "true"})
    assert Entry.objects.get(seq=1).as_event() == {
        "seq": 1,
        "at": "2026-11-01T12:00:00.000Z",
        "kind": "zone.created",
        "severity": "notice",
        "pool": None,
        "instance": None,
        "host": None,
        "zone": "z",
        "labels": {"demo": "true"},
        "actor": "ada",
        "message": "zone z added",
        "data": {},
        "cause": None,
    }


def test_the_numbers_are_taken_last() -> None:
    statements: list[str] = []

    def note_sql(execute: Callable[..., object], sql: str, *rest: object) -> object:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note_sql), journal.write(actor="ada") as tx:
        tx.record("zone.created", "zone z added")
        Head.objects.get(id=1)
    verbs = [sql.split()[0] for sql in statements if "journal_" in sql]
    assert verbs == ["SELECT", "UPDATE", "INSERT"]
