"""The words of the fleet: life cycle, override, health, and which change of life is allowed."""

from __future__ import annotations

from enum import StrEnum


class Life(StrEnum):
    """Where an instance stands in its life; stored, changed by compare-and-set."""

    LAUNCHING = "launching"
    IN_SERVICE = "in_service"
    STANDBY = "standby"
    DRAINING = "draining"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    LOST = "lost"


class PlaceLife(StrEnum):
    """Where a host or zone stands in its life."""

    IN_SERVICE = "in_service"
    RETIRED = "retired"


class Override(StrEnum):
    """What an operator ordered, whatever the health."""

    NONE = "none"
    DRAIN = "drain"
    MAINTENANCE = "maintenance"


class Health(StrEnum):
    """The prober's verdict."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Storage(StrEnum):
    """What a host's disk is; network storage widens the unit of failure."""

    EPHEMERAL = "ephemeral"
    NETWORK = "network"
    UNKNOWN = "unknown"


class PoolKind(StrEnum):
    """What a pool's instances are to each other."""

    STATELESS = "stateless"
    REPLICA = "replica"


LIVING = tuple(life for life in Life if life is not Life.TERMINATED)

LIFE_CHANGES: dict[Life, frozenset[Life]] = {
    Life.LAUNCHING: frozenset({Life.IN_SERVICE, Life.LOST}),
    Life.IN_SERVICE: frozenset({Life.STANDBY, Life.DRAINING, Life.LOST}),
    Life.STANDBY: frozenset({Life.IN_SERVICE, Life.DRAINING, Life.LOST}),
    Life.DRAINING: frozenset({Life.IN_SERVICE, Life.TERMINATING, Life.LOST}),
    Life.TERMINATING: frozenset({Life.TERMINATED, Life.LOST}),
    Life.LOST: frozenset({Life.IN_SERVICE, Life.TERMINATED}),
    Life.TERMINATED: frozenset(),
}
