"""What the database itself refuses, whoever writes: by the ORM past every service, and in plain SQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from pool_manager.fleet.kinds import LIVING
from pool_manager.fleet.models import Dependency, Host, Instance, Pool, Zone
from tests.fleet_made import host_made, instance_made, pool_made, zone_made

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 0},
        {"port": 65536},
        {"life": "resting"},
        {"life": ""},
        {"health": "fine"},
        {"override": "pause"},
    ],
    ids=str,
)
def test_an_instance_that_cannot_be_meant(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        instance_made(**fields)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("port", 0),
        ("port", -1),
        ("port", 70000),
        ("life", "resting"),
        ("health", "fine"),
        ("override", "pause"),
        ("pool_id", None),
        ("host_id", None),
        ("name", None),
    ],
)
def test_plain_sql_cannot_make_an_instance_wrong(column: str, value: str | int | None) -> None:
    instance_made()
    statement = f"UPDATE fleet_instance SET {column} = %s"  # noqa: S608 - names from the table above
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute(statement, [value])


@pytest.mark.parametrize(
    "fields",
    [
        {"slug": ""},
        {"min_instances": 3, "max_instances": 2},
        {"interval_ms": 49},
        {"interval_ms": 3_600_001},
        {"timeout_ms": 9},
        {"timeout_ms": 60_001},
        {"rise": 0},
        {"fall": 0},
        {"fall": 101},
        {"fast_ms": 9},
        {"recheck_ms": 0},
    ],
    ids=str,
)
def test_a_pool_that_cannot_be_meant(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Pool.objects.create(**{"slug": "recording", **fields})


@pytest.mark.parametrize("model", [Zone, Host])
def test_a_place_without_a_name(model: type[Zone | Host]) -> None:
    fields = {"zone": zone_made()} if model is Host else {}
    with pytest.raises(IntegrityError):
        model.objects.create(name="", **fields)


@pytest.mark.parametrize("zone_id", [None, 4711])
def test_a_host_in_no_zone(zone_id: int | None) -> None:
    def store() -> None:
        with transaction.atomic():
            Host.objects.create(name="a1", zone_id=zone_id)  # type: ignore[misc]  # what is refused
            connection.check_constraints()  # a foreign key is looked at when a transaction ends

    with pytest.raises(IntegrityError):
        store()


def test_a_zone_that_hosts_stand_in_cannot_vanish() -> None:
    host_made()

    def remove() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM fleet_zone")
            connection.check_constraints()

    with pytest.raises(IntegrityError):
        remove()


@pytest.mark.parametrize("life", LIVING)
def test_a_second_instance_at_a_taken_address(life: str) -> None:
    instance_made(life=life)
    with pytest.raises(IntegrityError):
        instance_made(host="b1")


def test_the_address_of_a_terminated_instance_is_free() -> None:
    first = instance_made(life="terminated")
    second = instance_made()
    assert first.name == second.name
    assert Instance.objects.count() == 2


def test_a_terminated_instance_cannot_come_back_to_a_taken_address() -> None:
    first = instance_made(life="terminated")
    instance_made()
    with pytest.raises(IntegrityError):
        Instance.objects.filter(pk=first.pk).update(life="in_service")


def test_two_pools_may_share_an_address() -> None:
    assert instance_made(pool="sms").address == instance_made(pool="voice").address


def test_a_living_name_is_given_once() -> None:
    instance_made()
    with pytest.raises(IntegrityError):
        instance_made(address="127.1.0.9")


def test_a_pool_cannot_depend_on_itself() -> None:
    pool = pool_made()
    with pytest.raises(IntegrityError):
        Dependency.objects.create(caller=pool, callee=pool)


@pytest.mark.parametrize("tolerance_ms", [0, 3_600_001])
def test_a_dependency_tolerates_a_millisecond_to_an_hour(tolerance_ms: int) -> None:
    with pytest.raises(IntegrityError):
        Dependency.objects.create(
            caller=pool_made("sms"), callee=pool_made("recording"), tolerance_ms=tolerance_ms
        )


def test_a_pool_depends_on_another_once() -> None:
    pair = {"caller": pool_made("sms"), "callee": pool_made("recording")}
    Dependency.objects.create(**pair)
    with pytest.raises(IntegrityError):
        Dependency.objects.create(**pair)
