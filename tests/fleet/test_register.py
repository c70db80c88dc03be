from __future__ import annotations

import pytest

from pool_manager.core.errors import Invalid
from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Host, Instance, Pool, Zone, name_valid
from pool_manager.fleet.rules import AddressLine, host_name
from pool_manager.fleet.services import InstanceSpec
from pool_manager.journal.models import Entry
from tests.fleet_made import host_made, instance_made, pool_made

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return list(Entry.objects.values_list("kind", flat=True))


def registered(*specs: InstanceSpec) -> list[Instance]:
    host = host_made()
    return fleet.instances_register(
        pool=pool_made(), specs=[(host, spec) for spec in specs], actor="ada"
    )


def test_a_new_instance_is_in_service_with_unknown_health() -> None:
    made = registered(InstanceSpec("127.1.0.1", 9000, build="7", labels={"a": "b"}))[0]
    stored = Instance.objects.get(pk=made.pk)
    assert (stored.name, stored.life, stored.health) == (
        "recording@a1:9000",
        "in_service",
        "unknown",
    )
    entry = Entry.objects.get()
    assert entry.kind == "instance.registered"
    assert (entry.pool, entry.instance, entry.host, entry.zone) == (
        "recording", "recording@a1:9000", "a1", "zone-a",
    )  # fmt: skip
    assert entry.data == {"address": "127.1.0.1", "port": 9000, "build": "7"}


def test_registering_again_is_the_same_instance() -> None:
    spec = InstanceSpec("127.1.0.1", 9000)
    first = registered(spec)[0]
    Instance.objects.update(health="up")
    again = registered(spec)[0]
    assert again.pk == first.pk
    assert Instance.objects.get().health == "up"
    assert told() == ["instance.registered"]


def test_one_address_twice_in_a_batch_is_one_instance() -> None:
    spec = InstanceSpec("127.1.0.1", 9000)
    first, second = registered(spec, spec)
    assert first.pk == second.pk
    assert told() == ["instance.registered"]


def test_what_is_new_of_a_known_instance_is_stored_and_the_rest_kept() -> None:
    registered(InstanceSpec("127.1.0.1", 9000, build="7", metadata={"pid": 1, "rack": 4}))
    registered(InstanceSpec("127.1.0.1", 9000, build="8", metadata={"pid": 2}))
    registered(InstanceSpec("127.1.0.1", 9000, labels={"a": "b"}))
    stored = Instance.objects.get()
    assert stored.build == "8"
    assert stored.metadata == {"pid": 2, "rack": 4}
    assert stored.labels == {"a": "b"}


def test_the_boot_id_of_a_known_instance_is_the_probers_to_change() -> None:
    registered(InstanceSpec("127.1.0.1", 9000, boot_id="one"))
    registered(InstanceSpec("127.1.0.1", 9000, boot_id="two"))
    assert Instance.objects.get().boot_id == "one"


def test_after_the_end_the_address_belongs_to_a_new_instance() -> None:
    old = instance_made(life="terminated")
    new = registered(InstanceSpec("127.1.0.1", 9000))[0]
    assert new.pk != old.pk


def test_a_spec_that_cannot_be_stored_is_refused_by_field_and_nothing_stays() -> None:
    with pytest.raises(Invalid) as fault:
        registered(InstanceSpec("127.1.0.1", 9000), InstanceSpec("127.1.0.1", 70000))
    assert list(fault.value.faults) == ["port"]
    assert not Instance.objects.exists()
    assert told() == []


def created(*lines: str, slug: str = "sms") -> Pool:
    return fleet.pool_create(
        slug=slug,
        probe_kind="http",
        probe_params={},
        timings={"fall": 4},
        lines=[AddressLine(number, *_cut(line)) for number, line in enumerate(lines, start=1)],
        zone="zone-x",
        actor="ada",
    )


def _cut(line: str) -> tuple[str, int]:
    host, _, port = line.rpartition(":")
    return host, int(port)


def test_a_pool_comes_with_its_hosts_and_instances_in_one_go() -> None:
    pool = created("10.0.0.1:80", "10.0.0.1:81", "app.example.com:80")
    assert pool.fall == 4
    assert set(Host.objects.values_list("name", "zone__name")) == {
        ("10.0.0.1", "zone-x"),
        ("app.example.com", "zone-x"),
    }
    assert Instance.objects.filter(pool=pool).count() == 3
    assert told() == ["pool.created", "zone.created", *["host.created"] * 2, *["instance.registered"] * 3]  # fmt: skip


def test_a_known_address_stays_on_its_host() -> None:
    instance_made(address="10.0.0.1", host="a1")
    created("10.0.0.1:80")
    assert Instance.objects.get(pool__slug="sms").host.name == "a1"
    assert not Zone.objects.filter(name="zone-x").exists()


def test_an_ipv6_address_makes_a_host_with_dashes() -> None:
    created("2001:db8::1:80")
    assert Host.objects.get().name == host_name("2001:db8::1")


@pytest.mark.parametrize(
    ("one", "other"), [("::1", "1::"), ("a" * 64 + ".one", "a" * 64 + ".two"), ("_sip.x", "sip.x")]
)
def test_other_addresses_make_other_host_names(one: str, other: str) -> None:
    names = {host_name(one), host_name(other)}
    assert len(names) == 2
    for name in names:
        name_valid(name)


def test_a_slug_that_is_taken_is_refused_and_nothing_is_made() -> None:
    pool_made("sms")
    with pytest.raises(Invalid) as fault:
        created("10.0.0.1:80")
    assert list(fault.value.faults) == ["slug"]
    assert not Host.objects.exists()


def test_more_than_a_thousand_at_once_are_refused() -> None:
    with pytest.raises(Invalid, match="1001 instances; at most 1000"):
        created(*(f"10.0.0.1:{port}" for port in range(1, 1002)))


def test_zones_and_hosts_are_made_once() -> None:
    zone = fleet.zone_ensure(name="zone-a", actor="ada")
    assert fleet.zone_ensure(name="zone-a", actor="ada").pk == zone.pk
    assert told() == ["zone.created"]


def test_two_addresses_of_one_host_with_one_port_are_told_apart_by_a_sentence() -> None:
    with pytest.raises(Invalid, match="would be called") as fault:
        registered(InstanceSpec("127.1.0.1", 9000), InstanceSpec("127.1.0.2", 9000))
    assert list(fault.value.faults) == ["port"]
    assert not Instance.objects.exists()
