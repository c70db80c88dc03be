"""Events as the hub gets them."""

from __future__ import annotations

from collections.abc import Sequence

from pool_manager.live.ring import Event


def event_made(
    seq: int,
    *,
    kind: str = "instance.up",
    severity: str = "notice",
    pool: str | None = "sms",
) -> Event:
    """An event with what filters look at."""
    return {
        "seq": seq,
        "kind": kind,
        "severity": severity,
        "pool": pool,
        "message": f"number {seq}",
    }


def events_made(first: int, last: int, *, pools: Sequence[str | None] = ("sms",)) -> list[Event]:
    """Events `first`..`last`, their pools taken in turn."""
    return [event_made(seq, pool=pools[seq % len(pools)]) for seq in range(first, last + 1)]
