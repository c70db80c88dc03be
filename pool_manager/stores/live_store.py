"""The live store (Redis or Valkey): nudges, shared probe state, leases.

Nothing here is the truth. Every call is short, and when the store is away callers go on without it.
"""

from __future__ import annotations

import time
from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

NUDGE_CHANNEL = "pm:nudge"
STATE_CHANNEL = "pm:state"
NUDGE_TIMEOUT_S = 0.05
CALL_TIMEOUT_S = 0.5
AWAY_S = 1.0  # after a failed call, how long nudges are not even tried

Error = redis.RedisError


class _Nudger:
    """Publishes head numbers; at most one attempt a second while the store is away."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=NUDGE_TIMEOUT_S,
            socket_connect_timeout=NUDGE_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._away_until = 0.0

    def publish(self, seq: int) -> bool:
        if time.monotonic() < self._away_until:
            return False
        try:
            self._client.publish(NUDGE_CHANNEL, seq)
        except redis.RedisError:
            self._away_until = time.monotonic() + AWAY_S
            return False
        return True


@lru_cache(maxsize=1)
def _nudger() -> _Nudger:
    return _Nudger(settings.REDIS_URL)


def nudge(seq: int) -> bool:
    """Tell readers that the journal reached `seq`; never raises, takes at most 50 ms."""
    return _nudger().publish(seq)


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """A client whose every call ends within half a second; raises `Error` when the store is away."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=CALL_TIMEOUT_S,
        socket_connect_timeout=CALL_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )


def async_client() -> redis.asyncio.Redis:
    """The same for an event loop; a new one for each caller, who closes it."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=CALL_TIMEOUT_S,
        socket_connect_timeout=CALL_TIMEOUT_S,
    )
