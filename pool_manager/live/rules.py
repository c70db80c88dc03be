"""Pure rules of the socket: what a client may ask, which events it wants, who may connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pool_manager.core.errors import Invalid
from pool_manager.journal.kinds import SEVERITIES, severity_rank

WORDS_MAX = 200
SEQ_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a client wants; None means all."""

    pools: frozenset[str] | None = None
    kinds: tuple[str, ...] | None = None
    min_rank: int = 0

    def wants(self, event: Mapping[str, Any]) -> bool:
        """Whether the event passes; events of no pool pass only without a pool filter."""
        if self.pools is not None and event["pool"] not in self.pools:
            return False
        if self.kinds is not None and not event["kind"].startswith(self.kinds):
            return False
        return self.min_rank == 0 or severity_rank(event["severity"]) >= self.min_rank


@dataclass(frozen=True, slots=True)
class Subscription:
    """A parsed subscribe frame: resume after `after` (None: from now on) with a filter."""

    after: int | None
    filter: Filter


def subscription_parse(frame: Mapping[str, Any]) -> Subscription:
    """Read a subscribe frame; collects every fault."""
    faults: dict[str, str] = {}
    after = frame.get("after")
    if after is not None and not (
        isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= SEQ_MAX
    ):
        faults["after"] = "give the number of the last event seen, or null"
    pools = _words(frame, "pools", faults)
    kinds = _words(frame, "kinds", faults)
    severity = frame.get("min_severity")
    if severity is not None and severity not in SEVERITIES:
        faults["min_severity"] = f"use one of {', '.join(SEVERITIES)}, or null"
    if faults:
        raise Invalid(faults)
    return Subscription(
        after=after,
        filter=Filter(
            pools=None if pools is None else frozenset(pools),
            kinds=None if kinds is None else tuple(kind.rstrip("*") for kind in kinds),
            min_rank=severity_rank(severity) if severity else 0,
        ),
    )


def _words(frame: Mapping[str, Any], name: str, faults: dict[str, str]) -> Sequence[str] | None:
    words = frame.get(name)
    if words is None:
        return None
    fine = isinstance(words, list) and len(words) <= WORDS_MAX
    if not fine or not all(isinstance(word, str) and len(word) <= WORDS_MAX for word in words):
        faults[name] = f"give a list of at most {WORDS_MAX} strings, or null"
        return None
    return list(words)


def same_origin(*, origin: str | None, host: str | None) -> bool:
    """Whether a browser page of this very host opened the socket. No Origin is no browser: refused."""
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return bool(default) and host.lower() in {
        parts.netloc.lower(),
        parts.netloc.lower() + default,
        parts.netloc.lower().removesuffix(default),
    }
