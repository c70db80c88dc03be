"""How instances and pools come to be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from pool_manager.core.errors import Invalid
from pool_manager.fleet.kinds import LIVING
from pool_manager.fleet.models import Host, Instance, Pool, Zone
from pool_manager.fleet.rules import AddressLine, host_name, instance_name
from pool_manager.fleet.services.edit import object_save, record_registered
from pool_manager.journal import services as journal

INSTANCES_PER_FORM = 1000


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """An instance to be registered."""

    address: str
    port: int
    build: str = ""
    boot_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def zone_ensure(*, name: str, actor: str, labels: Mapping[str, str] | None = None) -> Zone:
    """The zone of that name, made if there is none."""
    with journal.write(actor=actor):
        zone = Zone.objects.filter(name=name).first()
        if zone is None:
            zone = Zone(name=name, labels=dict(labels or {}))
            object_save(obj=zone, created=True, changed=(), actor=actor)
        return zone


def host_ensure(
    *,
    name: str,
    zone: Zone,
    actor: str,
    storage: str = "unknown",
    labels: Mapping[str, str] | None = None,
) -> Host:
    """The host of that name, made in `zone` if there is none."""
    with journal.write(actor=actor):
        host = Host.objects.select_related("zone").filter(name=name).first()
        if host is None:
            host = Host(name=name, zone=zone, storage=storage, labels=dict(labels or {}))
            object_save(obj=host, created=True, changed=(), actor=actor)
        return host


def instance_register(*, pool: Pool, host: Host, spec: InstanceSpec, actor: str) -> Instance:
    """Register one instance; see `instances_register`."""
    return instances_register(pool=pool, specs=[(host, spec)], actor=actor)[0]


def instances_register(
    *, pool: Pool, specs: Sequence[tuple[Host, InstanceSpec]], actor: str
) -> list[Instance]:
    """Make known what lives at each address; the same (pool, address, port) is the same instance.

    1. What is known keeps its id, name and health; changed build, labels and metadata are stored.
       Its boot id is the prober's to change: by that a restart is told.
    2. What is not known is inserted in service with health unknown, and journaled.
    """
    with journal.write(actor=actor) as tx:
        known = {
            (row.address, row.port): row
            for row in Instance.objects.filter(pool=pool, life__in=LIVING)
        }
        result = []
        for host, spec in specs:
            instance = known.get((spec.address, spec.port))
            if instance is None:
                instance = _instance_new(pool, host, spec)
                _name_free(instance, known.values())
                instance.save(force_insert=True)
                record_registered(tx, instance)
                known[spec.address, spec.port] = instance
            else:
                _instance_refresh(instance, spec)
            result.append(instance)
        return result


def _instance_new(pool: Pool, host: Host, spec: InstanceSpec) -> Instance:
    instance = Instance(
        pool=pool,
        host=host,
        name=instance_name(pool=pool.slug, host=host.name, port=spec.port),
        address=spec.address,
        port=spec.port,
        build=spec.build,
        boot_id=spec.boot_id,
        labels=dict(spec.labels),
        metadata=dict(spec.metadata),
    )
    try:
        instance.clean_fields()
    except ValidationError as error:
        faults = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise Invalid(faults) from error
    return instance


def _name_free(instance: Instance, others: Iterable[Instance]) -> None:
    """Two addresses of one host cannot have the same port in one pool: both would have one name."""
    for other in others:
        if other.name == instance.name:
            raise Invalid(
                {
                    "port": f"{instance.address}:{instance.port} would be called {other.name}, as"
                    f" {other.address}:{other.port} is; give one of them another port or host"
                }
            )


def _instance_refresh(instance: Instance, spec: InstanceSpec) -> None:
    wanted = {
        "build": spec.build or instance.build,
        "metadata": {**instance.metadata, **spec.metadata},
        "labels": {**instance.labels, **spec.labels},
    }
    changed = [name for name, value in wanted.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, wanted[name])
    if changed:
        instance.save(update_fields=changed)


def pool_create(
    *,
    slug: str,
    probe_kind: str,
    probe_params: Mapping[str, Any],
    timings: Mapping[str, int],
    lines: Sequence[AddressLine],
    zone: str,
    actor: str,
    labels: Mapping[str, str] | None = None,
) -> Pool:
    """A pool with its instances in one transaction; hosts it lacks are made in `zone`.

    An address that is known as another pool's instance belongs to that instance's host.
    """
    if len(lines) > INSTANCES_PER_FORM:
        raise Invalid({"lines": f"{len(lines)} instances; at most {INSTANCES_PER_FORM} at once"})
    with journal.write(actor=actor):
        pool = Pool(
            slug=slug,
            probe_kind=probe_kind,
            probe_params=dict(probe_params),
            labels=dict(labels or {}),
            **timings,
        )
        object_save(obj=pool, created=True, changed=(), actor=actor)
        hosts = _hosts_for({line.host for line in lines}, zone=zone, actor=actor)
        specs = [(hosts[line.host], InstanceSpec(line.host, line.port)) for line in lines]
        instances_register(pool=pool, specs=specs, actor=actor)
        return pool


def _hosts_for(addresses: set[str], *, zone: str, actor: str) -> dict[str, Host]:
    hosts: dict[str, Host] = {}
    rows = Instance.objects.select_related("host__zone").filter(
        address__in=addresses, life__in=LIVING
    )
    for instance in rows:
        hosts.setdefault(instance.address, instance.host)
    for address in sorted(addresses - hosts.keys()):
        hosts[address] = host_ensure(
            name=host_name(address),
            zone=zone_ensure(name=zone, actor=actor),
            actor=actor,
        )
    return hosts
