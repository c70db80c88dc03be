"""Where a call may go: peers with their zones, and the order in which they are tried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

PEER = re.compile(r"(?P<address>[0-9A-Za-z.-]+):(?P<port>[0-9]{1,5})@(?P<zone>[0-9A-Za-z-]+)")
PORT_LIMIT = 65_535


@dataclass(frozen=True, slots=True)
class Peer:
    address: str
    port: int
    zone: str

    @property
    def name(self) -> str:
        return f"{self.address}:{self.port}"

    def __str__(self) -> str:
        return f"{self.name}@{self.zone}"


def peer_parse(text: str) -> Peer:
    match = PEER.fullmatch(text)
    if match is None or not 0 < int(match["port"]) <= PORT_LIMIT:
        raise ValueError(f"peer {text!r} is not ADDRESS:PORT@ZONE")
    return Peer(match["address"], int(match["port"]), match["zone"])


def peers_parse(text: str) -> tuple[Peer, ...]:
    """Parse ADDRESS:PORT@ZONE,…"""
    return tuple(peer_parse(part) for part in text.split(",") if part)


def peers_order(peers: Sequence[Peer], *, zone: str = "", turn: int = 0) -> list[Peer]:
    """Order peers so that each try is in another zone than the one before while zones last.

    Callers in `zone` start at home; the others take turns. `turn` counts the caller's calls.
    """
    zones: dict[str, list[Peer]] = {}
    for peer in peers:
        zones.setdefault(peer.zone, []).append(peer)
    home = zones.pop(zone, [])
    away = _rotated(list(zones.values()), turn)
    # Zones rotate first, so instances advance when every zone has had its turn.
    step = turn if home else turn // max(1, len(away))
    columns = [_rotated(column, step) for column in ([home, *away] if home else away)]
    return [peer for peer in chain.from_iterable(zip_longest(*columns)) if peer is not None]


def _rotated(items: list[T], by: int) -> list[T]:
    start = by % len(items) if items else 0
    return items[start:] + items[:start]
