"""Changes of state by compare-and-set, each with who and why."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pool_manager.core.errors import Conflict, Invalid, NotFound
from pool_manager.fleet.kinds import LIVING, Health, Life, Override
from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.fleet.rules import life_change_allowed
from pool_manager.journal import services as journal

REASON_MAX = 200
CLOCKS_APART = timedelta(seconds=5)
LIFE_EVENTS = {
    Life.IN_SERVICE: "instance.in_service",
    Life.STANDBY: "instance.standby",
    Life.DRAINING: "instance.draining",
    Life.TERMINATING: "instance.terminating",
    Life.TERMINATED: "instance.terminated",
    Life.LOST: "instance.lost",
}
SCOPES: dict[str, tuple[type[Zone | Host | Pool | Instance], str]] = {
    "zone": (Zone, "name"),
    "host": (Host, "name"),
    "pool": (Pool, "slug"),
    "instance": (Instance, "name"),
}


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A verdict: the prober saw `instance` turn to `health` at `at`."""

    instance: uuid.UUID
    health: Health
    reason: str
    at: datetime


def health_apply(*, changes: Sequence[HealthChange]) -> dict[uuid.UUID, str]:
    """Store verdicts; returns the health each changed instance had before.

    Call inside `journal.write()`. A row that already says so, or whose verdict is younger by more than
    `CLOCKS_APART`, is not touched and not returned: another prober was faster, or the batch is being
    written again. Less than that is clocks that differ, and the verdict counts from `health_since` on.
    """
    rows = Instance.objects.in_bulk([change.instance for change in changes])
    was: dict[uuid.UUID, str] = {}
    for change in sorted(changes, key=lambda change: (change.instance, change.at)):
        row = rows.get(change.instance)
        if row is None or row.health == change.health:
            continue
        if row.health_since > change.at + CLOCKS_APART:
            continue
        since = max(row.health_since, change.at)
        updated = Instance.objects.filter(pk=row.pk, health=row.health).update(
            health=change.health,
            health_since=since,
            health_reason=change.reason[:300],
        )
        if updated:
            was.setdefault(row.pk, row.health)
            row.health, row.health_since = change.health, since
    return was


def instance_booted(*, instance: uuid.UUID, boot_id: str) -> str | None:
    """Store the boot id an instance answers with; returns the one before, None if it is the same."""
    old = Instance.objects.filter(pk=instance).values_list("boot_id", flat=True).first()
    if old is None or old == boot_id:
        return None
    # 0 rows: another prober stored a boot id in between; it tells the restart
    updated = Instance.objects.filter(pk=instance, boot_id=old).update(boot_id=boot_id)
    return old if updated else None


def life_change(*, instance: uuid.UUID, old: Life, new: Life, reason: str, actor: str) -> None:
    """Move an instance along its life cycle if it still stands at `old`."""
    if not life_change_allowed(old, new):
        raise Invalid({"life": f"an instance cannot go from {old} to {new}"})
    with journal.write(actor=actor) as tx:
        # 0 rows: it moved on meanwhile, or is gone; the caller looks again and decides anew
        updated = Instance.objects.filter(pk=instance, life=old).update(life=new, life_since=tx.now)
        row = Instance.objects.select_related("pool", "host__zone").filter(pk=instance).first()
        if row is None:
            raise NotFound(f"there is no instance {instance}")
        if not updated:
            raise Conflict(f"{row.name} is {row.life}, not {old}")
        tx.record(
            LIFE_EVENTS[new],
            f"{row.name} {new.replace('_', ' ')}: {reason}",
            pool=row.pool.slug,
            instance=row.name,
            host=row.host.name,
            zone=row.host.zone.name,
            data={"reason": reason, "was": old},
        )


def override_set(
    *,
    scope: str,
    key: str,
    override: Override | str,
    reason: str,
    until: datetime | None,
    actor: str,
) -> None:
    """Order a drain or maintenance for a zone, host, pool or instance, or end it with `none`."""
    if override not in set(Override):
        raise Invalid({"override": f"{override!r} is not one of {', '.join(Override)}"})
    if scope not in SCOPES:
        raise Invalid({"scope": f"{scope!r} is not one of {', '.join(SCOPES)}"})
    word = Override(override)
    if word is not Override.NONE and not reason.strip():
        raise Invalid({"reason": "say why in a few words; whoever is woken next will read it"})
    model, field = SCOPES[scope]
    with journal.write(actor=actor) as tx:
        # a terminated instance may have had the same name
        living = {"life__in": LIVING} if scope == "instance" else {}
        obj = model.objects.filter(**{field: key}, **living).first()
        if obj is None:
            raise NotFound(f"there is no {scope} {key!r}")
        if until is not None and until <= tx.now:
            raise Invalid({"until": f"{until.isoformat()} is in the past"})
        ended = word is Override.NONE and obj.override == word
        same = (obj.override, obj.override_reason, obj.override_until) == (word, reason, until)
        if ended or same:
            return
        _override_store(tx, obj, scope, word, reason, until)


def overrides_expire(*, actor: str) -> int:
    """End every override whose time has come; returns how many."""
    ended = 0
    with journal.write(actor=actor) as tx:
        for scope, (model, _) in SCOPES.items():
            due = model.objects.exclude(override=Override.NONE).filter(override_until__lte=tx.now)
            for obj in due.order_by("pk"):
                _override_store(tx, obj, scope, Override.NONE, "its time is over", None)
                ended += 1
    return ended


def _override_store(
    tx: journal.Write,
    obj: Zone | Host | Pool | Instance,
    scope: str,
    word: Override,
    reason: str,
    until: datetime | None,
) -> None:
    was, was_until = obj.override, obj.override_until
    ends = word is Override.NONE
    obj.override = word
    obj.override_reason = "" if ends else reason[:REASON_MAX]
    obj.override_by = "" if ends else tx.actor
    obj.override_until = until
    # 0 rows: another operator was faster, or the clock; what they said stands
    rows = SCOPES[scope][0].objects.filter(pk=obj.pk)  # type: ignore[misc]  # its key is of its type
    updated = rows.filter(override=was, override_until=was_until).update(
        override=obj.override,
        override_reason=obj.override_reason,
        override_by=obj.override_by,
        override_until=until,
    )
    if not updated:
        raise Conflict(f"{scope} {obj}: its override was changed meanwhile; look again")
    names = _names(obj)
    if ends:
        tx.record(
            "maintenance.ended",
            f"{scope} {obj}: {was} ended: {reason}",
            data={"scope": scope, "was": was},
            **names,
        )
        return
    tx.record(
        "maintenance.started",
        f"{scope} {obj}: {word} until {until.isoformat(timespec='minutes') if until else 'ended by hand'}: {reason}",
        data={
            "scope": scope,
            "override": word,
            "reason": reason,
            "until": until.isoformat() if until else None,
        },
        **names,
    )


def _names(obj: Zone | Host | Pool | Instance) -> journal.Names:
    if isinstance(obj, Zone):
        return {"zone": obj.name}
    if isinstance(obj, Host):
        return {"host": obj.name, "zone": obj.zone.name}
    if isinstance(obj, Pool):
        return {"pool": obj.slug}
    return {
        "pool": obj.pool.slug,
        "instance": obj.name,
        "host": obj.host.name,
        "zone": obj.host.zone.name,
    }
