from __future__ import annotations

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection

from pool_manager.core.clock import now
from pool_manager.core.errors import Conflict, Invalid, NotFound
from pool_manager.fleet import services as fleet
from pool_manager.fleet.kinds import Health, Life
from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.fleet.selectors import instances_living
from pool_manager.fleet.services import HealthChange
from pool_manager.journal import services as journal
from pool_manager.journal.models import Entry
from tests.fleet_made import instance_made

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def moved(instance: Instance, old: str, new: str, *, actor: str = "ada") -> None:
    fleet.life_change(
        instance=instance.pk, old=Life(old), new=Life(new), reason="upgrade", actor=actor
    )


def test_a_change_of_life_is_stored_and_told_with_who_and_why() -> None:
    instance = instance_made()
    before = instance.life_since
    moved(instance, "in_service", "draining")
    instance.refresh_from_db()
    assert instance.life == "draining"
    assert instance.life_since > before
    entry = Entry.objects.get()
    assert (entry.kind, entry.actor, entry.instance) == ("instance.draining", "ada", instance.name)
    assert entry.data == {"reason": "upgrade", "was": "in_service"}


def test_who_comes_second_is_told_that_it_moved_on() -> None:
    instance = instance_made()
    moved(instance, "in_service", "draining")
    with pytest.raises(Conflict, match="is draining, not in_service"):
        moved(instance, "in_service", "standby")
    assert Entry.objects.count() == 1


def test_an_arrow_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot go from terminated to in_service"):
        moved(instance_made(life="terminated"), "terminated", "in_service")


def test_an_instance_that_is_gone_is_not_found() -> None:
    with pytest.raises(NotFound):
        moved(Instance(pk=uuid.uuid4()), "in_service", "lost")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_race_one_wins() -> None:
    instance = instance_made()
    start = threading.Barrier(2, timeout=10)
    outcomes: list[str] = []

    def race(new: str) -> None:
        start.wait()
        try:
            moved(instance, "in_service", new, actor=new)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(new,)) for new in ("standby", "draining")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["lost", "won"]
    entry = Entry.objects.get()
    assert entry.kind == f"instance.{Instance.objects.get().life}"


def overridden(scope: str, key: str, word: str, *, until: dt.datetime | None = None) -> None:
    fleet.override_set(
        scope=scope, key=key, override=word, reason="disk swap", until=until, actor="ada"
    )


@pytest.mark.parametrize(
    ("scope", "key", "model"),
    [
        ("zone", "zone-a", Zone),
        ("host", "a1", Host),
        ("pool", "recording", Pool),
        ("instance", "recording@a1:9000", Instance),
    ],
)
def test_an_override_is_set_told_and_ended(
    scope: str, key: str, model: type[Zone | Host | Pool | Instance]
) -> None:
    instance_made()
    until = now() + HOUR
    overridden(scope, key, "maintenance", until=until)
    row = model.objects.get()
    assert (row.override, row.override_reason, row.override_by, row.override_until) == (
        "maintenance", "disk swap", "ada", until,
    )  # fmt: skip
    assert [living.override for living in instances_living()] == ["maintenance"]
    overridden(scope, key, "none")
    row = model.objects.get()
    assert (row.override, row.override_reason, row.override_until) == ("none", "", None)
    started, ended = Entry.objects.all()
    assert (started.kind, ended.kind) == ("maintenance.started", "maintenance.ended")
    assert started.data == {
        "scope": scope, "override": "maintenance", "reason": "disk swap",
        "until": until.isoformat(),
    }  # fmt: skip
    assert ended.data == {"scope": scope, "was": "maintenance"}


def test_the_same_override_again_is_told_once() -> None:
    instance_made()
    overridden("pool", "recording", "drain")
    overridden("pool", "recording", "drain")
    assert Entry.objects.count() == 1


def test_what_never_began_does_not_end() -> None:
    instance_made()
    overridden("pool", "recording", "none")
    assert not Entry.objects.exists()


def test_an_override_wants_a_reason() -> None:
    instance_made()
    with pytest.raises(Invalid, match="say why"):
        fleet.override_set(
            scope="pool", key="recording", override="drain", reason=" ", until=None, actor="ada"
        )


def test_an_override_cannot_end_in_the_past() -> None:
    instance_made()
    with pytest.raises(Invalid, match="is in the past"):
        overridden("pool", "recording", "drain", until=now() - HOUR)


def test_an_override_of_nothing_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no host 'z9'"):
        overridden("host", "z9", "drain")


def test_an_override_by_name_meets_the_living_instance() -> None:
    dead = instance_made(life="terminated")
    alive = instance_made()
    overridden("instance", alive.name, "drain")
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.override, alive.override) == ("none", "drain")


def test_overrides_end_when_their_time_has_come() -> None:
    instance_made()
    past = {"override": "drain", "override_until": now() - HOUR, "override_by": "ada"}
    Zone.objects.update(**past)
    Instance.objects.update(**past)
    Host.objects.update(override="drain", override_until=now() + HOUR)
    Pool.objects.update(override="maintenance", override_until=None)
    assert fleet.overrides_expire(actor="clock") == 2
    assert fleet.overrides_expire(actor="clock") == 0
    words = [model.objects.get().override for model in (Zone, Host, Pool, Instance)]
    assert words == ["none", "drain", "maintenance", "none"]
    ended = Entry.objects.values_list("kind", "actor", "data__scope")
    assert set(ended) == {
        ("maintenance.ended", "clock", "zone"),
        ("maintenance.ended", "clock", "instance"),
    }


def verdict(instance: Instance, health: str, *, after_s: float) -> dict[uuid.UUID, str]:
    at = instance.health_since + dt.timedelta(seconds=after_s)
    with journal.write(actor="prober@a"):
        return fleet.health_apply(
            changes=[HealthChange(instance.pk, Health(health), "HTTP 503", at)]
        )


def test_a_verdict_is_stored_with_its_moment_and_reason() -> None:
    instance = instance_made()
    assert verdict(instance, "down", after_s=5) == {instance.pk: "unknown"}
    stored = Instance.objects.get()
    assert (stored.health, stored.health_reason) == ("down", "HTTP 503")
    assert stored.health_since == instance.health_since + dt.timedelta(seconds=5)


@pytest.mark.parametrize(
    ("health", "after_s"),
    [
        pytest.param("up", 5, id="it says so already"),
        pytest.param("down", -6, id="an older verdict"),
        pytest.param("up", -1, id="older and the same"),
    ],
)
def test_a_verdict_that_is_no_news(health: str, after_s: float) -> None:
    instance = instance_made(health="up")
    assert verdict(instance, health, after_s=after_s) == {}
    stored = Instance.objects.get()
    assert (stored.health, stored.health_since) == ("up", instance.health_since)


def test_a_verdict_by_a_clock_a_little_behind_counts_from_the_last_change_on() -> None:
    instance = instance_made(health="up")
    assert verdict(instance, "down", after_s=-3) == {instance.pk: "up"}
    stored = Instance.objects.get()
    assert (stored.health, stored.health_since) == ("down", instance.health_since)


def test_verdicts_of_one_batch_are_taken_in_the_order_of_time() -> None:
    instance = instance_made(health="up")
    start = instance.health_since
    changes = [
        HealthChange(instance.pk, health, "", start + dt.timedelta(seconds=second))
        for second, health in ((3, Health.UP), (1, Health.DOWN))
    ]
    with journal.write(actor="prober@a"):
        assert fleet.health_apply(changes=changes) == {instance.pk: "up"}
    stored = Instance.objects.get()
    assert (stored.health, stored.health_since) == ("up", start + dt.timedelta(seconds=3))


def test_a_verdict_of_what_is_gone_is_left_out() -> None:
    gone = Instance(pk=uuid.uuid4(), health_since=now())
    assert verdict(gone, "up", after_s=1) == {}


@pytest.mark.parametrize(
    ("stored", "answered", "was"),
    [
        pytest.param("", "one", "", id="the first one heard of"),
        pytest.param("one", "one", None, id="the same process"),
        pytest.param("one", "two", "one", id="another process"),
    ],
)
def test_boot_ids(stored: str, answered: str, was: str | None) -> None:
    instance = instance_made(boot_id=stored)
    assert fleet.instance_booted(instance=instance.pk, boot_id=answered) == was
    assert Instance.objects.get().boot_id == answered
