"""A lease in the live store: who of several equal processes acts.

Liveness only: whoever holds one may still be stalled, so what a holder does must be safe to do
twice. While the store is away nobody acquires, and the holder keeps what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pool_manager.stores import live_store

_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(slots=True)
class Lease:
    """`owner` must be unique among living processes; the same owner may take its lease up again."""

    name: str
    owner: str
    ttl_ms: int
    held: bool = False

    @property
    def key(self) -> str:
        """Where it stands in the live store."""
        return f"pm:lease:{self.name}"

    def renew(self) -> bool:
        """Take or keep the lease; whether we hold it now. Call at least three times per `ttl_ms`."""
        try:
            answer = live_store.client().eval(_RENEW, 1, self.key, self.owner, self.ttl_ms)
        except live_store.Error:
            return self.held
        self.held = bool(answer)
        return self.held

    def release(self) -> None:
        """Give it back, so that another need not wait for its end."""
        if not self.held:
            return
        self.held = False
        try:
            live_store.client().eval(_RELEASE, 1, self.key, self.owner)
        except live_store.Error:
            return
