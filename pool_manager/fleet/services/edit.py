"""Editing and removing zones, hosts, pools and instances, each change in the journal."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import F, ProtectedError

from pool_manager.core.errors import Conflict, Invalid, NotFound
from pool_manager.fleet.kinds import Life
from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.journal import services as journal

Editable = Zone | Host | Pool | Instance

DEMO_LABEL = {"demo": "true"}


def object_save(*, obj: Editable, created: bool, changed: Sequence[str], actor: str) -> None:
    """Validate, store and journal; saves only the changed fields of an object that exists."""
    with journal.write(actor=actor) as tx:
        _validate(obj)
        if created:
            obj.save(force_insert=True)
        elif changed:
            obj.save(update_fields=list(changed))
        else:
            return
        if isinstance(obj, Pool) and not created:
            Pool.objects.filter(pk=obj.pk).update(version=F("version") + 1)
        _record_saved(tx, obj, created=created, changed=changed)


def _validate(obj: Editable) -> None:
    try:
        obj.full_clean()
    except ValidationError as error:
        faults = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise Invalid(faults) from error


def _record_saved(
    tx: journal.Write, obj: Editable, *, created: bool, changed: Sequence[str]
) -> None:
    fields = ", ".join(changed)
    if isinstance(obj, Instance):
        if created:
            record_registered(tx, obj)
            return
        tx.record(
            "instance.changed",
            f"{obj.name}: {fields} changed",
            pool=obj.pool.slug,
            instance=obj.name,
            host=obj.host.name,
            zone=obj.host.zone.name,
            data={"fields": list(changed)},
        )
        return
    word = type(obj).__name__.lower()
    message = f"{word} {obj} " + ("added" if created else f"changed: {fields}")
    tx.record(
        f"{word}.{'created' if created else 'changed'}",
        message,
        pool=obj.slug if isinstance(obj, Pool) else "",
        host=obj.name if isinstance(obj, Host) else "",
        zone=obj.name if isinstance(obj, Zone) else _zone_of(obj),
        labels=obj.labels,
        data={} if created else {"fields": list(changed)},
    )


def _zone_of(obj: Pool | Host) -> str:
    return obj.zone.name if isinstance(obj, Host) else ""


def record_registered(tx: journal.Write, instance: Instance) -> None:
    """The entry that says an instance is known from now on."""
    tx.record(
        "instance.registered",
        f"{instance.name} registered at {instance.address}:{instance.port}",
        pool=instance.pool.slug,
        instance=instance.name,
        host=instance.host.name,
        zone=instance.host.zone.name,
        labels=instance.labels,
        data={"address": instance.address, "port": instance.port, "build": instance.build},
    )


def object_delete(*, obj: Editable, actor: str) -> None:
    """Delete what nothing leans on; else `Conflict` says what does. A pool takes its instances along."""
    if isinstance(obj, Pool):
        pool_remove(slug=obj.slug, actor=actor)
        return
    word = type(obj).__name__.lower()
    with journal.write(actor=actor) as tx:
        labels = obj.labels
        zone = obj.name if isinstance(obj, Zone) else ""
        try:
            if isinstance(obj, Instance):
                _record_instance_end(tx, obj)
                obj.delete()
                return
            name = obj.name
            obj.delete()
        except ProtectedError as error:
            kinds = sorted({f"{type(row).__name__.lower()}s" for row in error.protected_objects})
            raise Conflict(
                f"{word} {obj} still has {len(error.protected_objects)} {' and '.join(kinds)};"
                " move or delete them first"
            ) from error
        tx.record(
            f"{word}.deleted",
            f"{word} {name} deleted",
            host=name if isinstance(obj, Host) else "",
            zone=zone,
            labels=labels,
        )


def _record_instance_end(tx: journal.Write, instance: Instance) -> None:
    if instance.life == Life.TERMINATED:  # told when it ended
        return
    tx.record(
        "instance.terminated",
        f"{instance.name} deleted",
        pool=instance.pool.slug,
        instance=instance.name,
        host=instance.host.name,
        zone=instance.host.zone.name,
        data={"reason": "deleted", "was": instance.life},
    )


def pool_remove(*, slug: str, actor: str) -> int:
    """Delete a pool with its instances; returns how many instances went."""
    with journal.write(actor=actor) as tx:
        pool = Pool.objects.filter(slug=slug).first()
        if pool is None:
            raise NotFound(f"there is no pool {slug!r}")
        living = Instance.objects.select_related("pool", "host__zone").filter(pool=pool)
        count = 0
        for instance in living:
            _record_instance_end(tx, instance)
            count += 1
        Instance.objects.filter(pool=pool).delete()
        pool.delete()
        tx.record(
            "pool.deleted",
            f"pool {slug} deleted with {count} instances",
            pool=slug,
            labels=pool.labels,
            data={"instances": count},
        )
        return count


def demo_remove(*, actor: str) -> int:
    """Delete everything the demo made and nothing else; returns how many instances went.

    Hosts and zones of the demo that others moved into meanwhile stay.
    """
    with journal.write(actor=actor):
        count = 0
        for slug in Pool.objects.filter(labels__demo="true").values_list("slug", flat=True):
            count += pool_remove(slug=slug, actor=actor)
        for host in Host.objects.filter(labels__demo="true", instances__isnull=True):
            object_delete(obj=host, actor=actor)
        for zone in Zone.objects.filter(labels__demo="true", hosts__isnull=True):
            object_delete(obj=zone, actor=actor)
        return count
