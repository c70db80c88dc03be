"""What exists: zones, hosts, pools, instances and who calls whom.

Rows are written by `fleet.services` only. Constraints stand in the database so that no way in,
the admin and a shell included, can store what the product cannot mean.
"""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any, ClassVar

from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
)
from django.db import models
from django.db.models import F, Q

from pool_manager.core.ids import uuid7
from pool_manager.fleet.kinds import LIVING, Health, Life, Override, PlaceLife, PoolKind, Storage
from pool_manager.fleet.rules import PORT_MAX

name_valid = RegexValidator(
    r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$",
    "Use 1 to 63 lower-case letters, digits, '.', '_' or '-', starting and ending with a letter or digit.",
)
# "new" is refused: /pools/new/ is a page
slug_valid = RegexValidator(
    r"^(?!new$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "Use 1 to 63 lower-case letters, digits or '-', starting and ending with a letter or digit;"
    " not 'new'.",
)


def _choices(words: type[Any]) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ")) for word in words]


def instance_id_new() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid7(unix_ms=time.time_ns() // 1_000_000, random_bits=secrets.randbits(74))


class Overridable(models.Model):
    """The administrative override that zones, hosts, pools and instances share."""

    override = models.CharField(max_length=12, choices=_choices(Override), default=Override.NONE)
    override_reason = models.CharField(max_length=200, blank=True, default="")
    override_by = models.CharField(max_length=150, blank=True, default="")
    override_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Place(Overridable):
    """What zones and hosts share."""

    name = models.CharField(max_length=63, unique=True, validators=[name_valid])
    life = models.CharField(
        max_length=12, choices=_choices(PlaceLife), default=PlaceLife.IN_SERVICE
    )
    labels = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Overridable.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name


class Zone(Place):
    """A failure domain above hosts: an availability zone, a rack, a power feed."""

    class Meta(Place.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="zone_name_not_empty"),
        ]


class Host(Place):
    """One machine: the unit of failure."""

    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="hosts")
    storage = models.CharField(max_length=12, choices=_choices(Storage), default=Storage.UNKNOWN)

    class Meta(Place.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="host_name_not_empty"),
        ]


class Pool(Overridable):
    """Homogeneous instances of one service, and how they are probed."""

    slug = models.CharField(max_length=63, unique=True, validators=[slug_valid])
    kind = models.CharField(max_length=12, choices=_choices(PoolKind), default=PoolKind.STATELESS)
    owner = models.CharField(max_length=100, blank=True, default="")
    runbook_url = models.CharField(
        max_length=500, blank=True, default="", validators=[URLValidator(schemes=["http", "https"])]
    )
    labels = models.JSONField(default=dict, blank=True)
    allow_drills = models.BooleanField(default=False)
    min_instances = models.PositiveIntegerField(default=0)
    max_instances = models.PositiveIntegerField(default=1000)
    depends_on: models.ManyToManyField[Pool, Dependency] = models.ManyToManyField(
        "self", through="Dependency", symmetrical=False, related_name="callers"
    )

    probe_kind = models.CharField(max_length=16, default="http")
    probe_params = models.JSONField(default=dict, blank=True)
    interval_ms = models.PositiveIntegerField(
        default=1000, validators=[MinValueValidator(50), MaxValueValidator(3_600_000)]
    )
    timeout_ms = models.PositiveIntegerField(
        default=250, validators=[MinValueValidator(10), MaxValueValidator(60_000)]
    )
    rise = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    fall = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    fast_ms = models.PositiveIntegerField(
        default=100, validators=[MinValueValidator(10), MaxValueValidator(60_000)]
    )
    recheck_ms = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(60_000)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta(Overridable.Meta):
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(slug=""), name="pool_slug_not_empty"),
            models.CheckConstraint(
                condition=Q(min_instances__lte=F("max_instances")),
                name="pool_min_le_max",
                violation_error_message="min instances is above max instances.",
            ),
            models.CheckConstraint(
                condition=Q(interval_ms__range=(50, 3_600_000)), name="pool_interval_range"
            ),
            models.CheckConstraint(
                condition=Q(timeout_ms__range=(10, 60_000)), name="pool_timeout_range"
            ),
            models.CheckConstraint(
                condition=Q(rise__range=(1, 100), fall__range=(1, 100)), name="pool_rise_fall_range"
            ),
            models.CheckConstraint(
                condition=Q(fast_ms__range=(10, 60_000), recheck_ms__range=(1, 60_000)),
                name="pool_fast_recheck_range",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Dependency(models.Model):
    """`caller` calls `callee` and gives up after `tolerance_ms`."""

    caller = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="dependencies")
    callee = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="dependents")
    tolerance_ms = models.PositiveIntegerField(
        default=2000, validators=[MinValueValidator(1), MaxValueValidator(3_600_000)]
    )

    class Meta:
        verbose_name_plural = "dependencies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "callee"], name="dependency_unique"),
            models.CheckConstraint(condition=~Q(caller=F("callee")), name="dependency_not_self"),
            models.CheckConstraint(
                condition=Q(tolerance_ms__range=(1, 3_600_000)), name="dependency_tolerance_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller.slug} → {self.callee.slug}"


class Instance(Overridable):
    """One process of a pool at an address and port of a host."""

    id = models.UUIDField(primary_key=True, default=instance_id_new, editable=False)
    name = models.CharField(max_length=200, editable=False)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="instances")
    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="instances")
    address = models.CharField(max_length=253)
    port = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(PORT_MAX)]
    )
    life = models.CharField(max_length=12, choices=_choices(Life), default=Life.IN_SERVICE)
    life_since = models.DateTimeField(auto_now_add=True)
    health = models.CharField(max_length=12, choices=_choices(Health), default=Health.UNKNOWN)
    health_since = models.DateTimeField(auto_now_add=True)
    health_reason = models.CharField(max_length=300, blank=True, default="")
    build = models.CharField(max_length=100, blank=True, default="")
    boot_id = models.CharField(max_length=100, blank=True, default="")
    weight = models.PositiveSmallIntegerField(default=100, validators=[MaxValueValidator(1000)])
    labels = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    ejected_until = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    protected_until = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta(Overridable.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "address", "port"],
                condition=Q(life__in=LIVING),
                name="instance_address_unique",
                violation_error_message="this pool already has an instance at this address and port.",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(life__in=LIVING), name="instance_name_unique"
            ),
            models.CheckConstraint(
                condition=Q(port__range=(1, PORT_MAX)),
                name="instance_port_range",
                violation_error_message="port is not between 1 and 65535.",
            ),
            models.CheckConstraint(
                condition=Q(life__in=[life.value for life in Life]), name="instance_life_word"
            ),
            models.CheckConstraint(
                condition=Q(health__in=[health.value for health in Health]),
                name="instance_health_word",
            ),
            models.CheckConstraint(
                condition=Q(override__in=[word.value for word in Override]),
                name="instance_override_word",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["pool", "life"], name="instance_pool_life")]

    def __str__(self) -> str:
        return self.name
