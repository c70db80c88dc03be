from __future__ import annotations

import pytest

from pool_manager.core.errors import Conflict, Invalid, NotFound
from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Dependency, Host, Instance, Pool, Zone
from pool_manager.journal.models import Entry
from tests.fleet_made import host_made, instance_made, pool_made, zone_made

pytestmark = pytest.mark.django_db

DEMO = {"demo": "true"}


def told() -> list[str]:
    return list(Entry.objects.values_list("kind", flat=True))


def test_what_is_created_is_told_with_its_names() -> None:
    zone = Zone(name="zone-b", labels=DEMO)
    fleet.object_save(obj=zone, created=True, changed=(), actor="ada")
    fleet.object_save(obj=Host(name="b1", zone=zone), created=True, changed=(), actor="ada")
    fleet.object_save(obj=Pool(slug="sms"), created=True, changed=(), actor="ada")
    rows = Entry.objects.values_list("kind", "zone", "host", "pool", "actor", "labels")
    assert list(rows) == [
        ("zone.created", "zone-b", "", "", "ada", DEMO),
        ("host.created", "zone-b", "b1", "", "ada", {}),
        ("pool.created", "", "", "sms", "ada", {}),
    ]


def test_only_the_changed_fields_are_stored() -> None:
    pool = pool_made("sms", owner="old")
    Pool.objects.update(fall=9)
    pool.owner = "new"
    fleet.object_save(obj=pool, created=False, changed=["owner"], actor="ada")
    stored = Pool.objects.get()
    assert (stored.owner, stored.fall, stored.version) == ("new", 9, 2)
    entry = Entry.objects.get()
    assert (entry.kind, entry.data) == ("pool.changed", {"fields": ["owner"]})


def test_no_change_is_no_event() -> None:
    fleet.object_save(obj=zone_made(), created=False, changed=(), actor="ada")
    assert told() == []


def test_an_edited_instance_is_told_as_changed() -> None:
    instance = instance_made()
    instance.weight = 50
    fleet.object_save(obj=instance, created=False, changed=["weight"], actor="ada")
    entry = Entry.objects.get()
    assert (entry.kind, entry.instance, entry.zone) == ("instance.changed", instance.name, "zone-a")


def test_what_is_invalid_names_every_field_and_stores_nothing() -> None:
    pool = Pool(slug="Not A Slug", interval_ms=1)
    with pytest.raises(Invalid) as fault:
        fleet.object_save(obj=pool, created=True, changed=(), actor="ada")
    assert set(fault.value.faults) == {"slug", "interval_ms"}
    assert not Pool.objects.exists()
    assert told() == []


def test_a_zone_with_hosts_stays_and_says_what_is_there() -> None:
    host_made()
    with pytest.raises(Conflict, match="zone zone-a still has 1 hosts"):
        fleet.object_delete(obj=Zone.objects.get(), actor="ada")
    assert told() == []


def test_a_host_with_instances_stays() -> None:
    instance_made()
    with pytest.raises(Conflict, match="host a1 still has 1 instances"):
        fleet.object_delete(obj=Host.objects.get(), actor="ada")


def test_what_is_deleted_is_told() -> None:
    instance = instance_made()
    host, zone = instance.host, instance.host.zone
    for obj in (instance, host, zone):
        fleet.object_delete(obj=obj, actor="ada")
    assert list(Entry.objects.values_list("kind", "instance", "host", "zone")) == [
        ("instance.terminated", "recording@a1:9000", "a1", "zone-a"),
        ("host.deleted", "", "a1", ""),
        ("zone.deleted", "", "", "zone-a"),
    ]
    assert [model.objects.count() for model in (Instance, Host, Zone)] == [0, 0, 0]


def test_a_pool_goes_with_its_instances_and_dependencies() -> None:
    instance_made(9000)
    instance_made(9001)
    instance_made(9000, pool="sms")
    Dependency.objects.create(caller=pool_made("sms"), callee=pool_made())
    assert fleet.pool_remove(slug="recording", actor="ada") == 2
    assert [pool.slug for pool in Pool.objects.all()] == ["sms"]
    assert not Dependency.objects.exists()
    assert told() == ["instance.terminated", "instance.terminated", "pool.deleted"]
    assert Entry.objects.get(kind="pool.deleted").data == {"instances": 2}


def test_a_pool_deleted_as_an_object_goes_with_its_instances() -> None:
    instance_made()
    fleet.object_delete(obj=pool_made(), actor="ada")
    assert not Instance.objects.exists()


def test_what_had_ended_does_not_end_again() -> None:
    instance_made(life="terminated")
    instance_made()
    fleet.pool_remove(slug="recording", actor="ada")
    assert told() == ["instance.terminated", "pool.deleted"]


def test_a_pool_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="there is no pool 'fax'"):
        fleet.pool_remove(slug="fax", actor="ada")


def test_the_demo_goes_and_nothing_else() -> None:
    zone_made("zone-a", labels=DEMO)
    zone_made("zone-b", labels=DEMO)
    host_made("a1", zone="zone-a", labels=DEMO)
    host_made("b1", zone="zone-b", labels=DEMO)
    host_made("own", zone="zone-own")
    pool_made("recording", labels=DEMO)
    pool_made("mine", labels={"demo": "false"})
    instance_made(host="a1", labels=DEMO)
    instance_made(host="b1", zone="zone-b", address="127.2.0.1", labels=DEMO)
    instance_made(pool="mine", host="b1", zone="zone-b", address="127.2.0.1")
    assert fleet.demo_remove(actor="ada") == 2
    assert [pool.slug for pool in Pool.objects.all()] == ["mine"]
    assert [host.name for host in Host.objects.all()] == ["b1", "own"]
    assert [zone.name for zone in Zone.objects.all()] == ["zone-b", "zone-own"]
    assert Instance.objects.get().name == "mine@b1:9000"
    assert {entry.actor for entry in Entry.objects.all()} == {"ada"}
