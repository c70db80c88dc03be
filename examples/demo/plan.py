"""What the demo fleet consists of, as data, and the commands that bring it up."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.peers import Peer

if TYPE_CHECKING:
    from pathlib import Path

BUILD = "demo-1"
ZONES = ("zone-a", "zone-b", "zone-c")
HOSTS_PER_ZONE = 2
PORTS = {"recording": (9001, 9002), "sms": (9101, 9102), "voice": (9201, 9202)}
SHARED_ADDRESS = "127.0.0.1"
PORT_SHIFTS = range(0, 20_000, 2000)  # below 32768, where the kernel picks ports of its own
SHARED_STRIDE = 300  # wider than the span of PORTS, so that the hosts' ranges do not meet


@dataclass(frozen=True, slots=True)
class DemoDependency:
    pool: str
    tolerance_ms: int  # how long the caller can do without


@dataclass(frozen=True, slots=True)
class DemoPool:
    slug: str
    kind: str
    probe_path: str
    depends_on: tuple[DemoDependency, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoInstance:
    pool: str
    port: int


@dataclass(frozen=True, slots=True)
class DemoHost:
    name: str
    zone: str
    address: str
    storage: str
    instances: tuple[DemoInstance, ...]


@dataclass(frozen=True, slots=True)
class DemoFleet:
    zones: tuple[str, ...]
    hosts: tuple[DemoHost, ...]
    pools: tuple[DemoPool, ...]

    def peers(self, pool: str) -> tuple[Peer, ...]:
        return tuple(
            Peer(host.address, instance.port, host.zone)
            for host in self.hosts
            for instance in host.instances
            if instance.pool == pool
        )


POOLS = (
    DemoPool("recording", "stateless", "/healthz"),
    DemoPool("sms", "stateless", "/healthz", (DemoDependency("recording", 500),)),
    DemoPool("voice", "stateless", "/healthz"),
)


def plan(*, shared_loopback: bool = False, port_shift: int = 0) -> DemoFleet:
    """Plan six hosts in three zones.

    Each host has a loopback address of its own, or, where only 127.0.0.1 can be bound,
    a range of ports on it. `port_shift` is added to every port, for a second demo beside a first.
    """
    hosts: list[DemoHost] = []
    for zone_number, zone in enumerate(ZONES, start=1):
        for host_number in range(1, HOSTS_PER_ZONE + 1):
            shift = port_shift + (SHARED_STRIDE * len(hosts) if shared_loopback else 0)
            own_address = f"127.{zone_number}.0.{host_number}"
            hosts.append(
                DemoHost(
                    name=f"{zone.removeprefix('zone-')}{host_number}",
                    zone=zone,
                    address=SHARED_ADDRESS if shared_loopback else own_address,
                    storage="ephemeral",
                    instances=tuple(
                        DemoInstance(pool, port + shift)
                        for pool, ports in PORTS.items()
                        for port in ports
                    ),
                )
            )
    return DemoFleet(zones=ZONES, hosts=tuple(hosts), pools=POOLS)


def port_shift_free(*, shared_loopback: bool) -> int:
    """Find the first shift at which nobody has any port of the plan; 0 when all are taken."""
    for port_shift in PORT_SHIFTS:
        hosts = plan(shared_loopback=shared_loopback, port_shift=port_shift).hosts
        if all(can_bind(host.address, i.port) for host in hosts for i in host.instances):
            return port_shift
    return 0


def can_bind(address: str, port: int = 0) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def host_arguments(
    fleet: DemoFleet, host: DemoHost, *, store: Path, respawn_s: float | None
) -> list[str]:
    """Build what follows the interpreter to run one host; `respawn_s` None means never."""
    return [
        "-m",
        "examples.demo.host",
        *("--name", host.name),
        *("--zone", host.zone),
        *("--address", host.address),
        *("--instances", ",".join(f"{i.pool}:{i.port}" for i in host.instances)),
        *("--recording-peers", ",".join(map(str, fleet.peers("recording")))),
        *("--store", str(store)),
        *("--respawn", "never" if respawn_s is None else f"{respawn_s:g}"),
    ]


def load_arguments(fleet: DemoFleet, *, rate: float) -> list[str]:
    """Build what follows the interpreter to run the load; a pool is named once for each peer."""
    targets = (f"{pool.slug}={peer}" for pool in fleet.pools for peer in fleet.peers(pool.slug))
    return ["-m", "examples.demo.load", "--targets", ",".join(targets), "--rate", f"{rate:g}"]
