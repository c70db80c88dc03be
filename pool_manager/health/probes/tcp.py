"""Probe kind `tcp`: a connection that is accepted is an answer."""

from __future__ import annotations

from dataclasses import dataclass

from pool_manager.core.params import Whole, param
from pool_manager.health.probes.base import CLOSED_EARLY, Answer, Kind, Opener

ACCEPTED = Answer(ok=True)


@dataclass(frozen=True, slots=True)
class TcpParams:
    """Settings of a `tcp` probe."""

    port: int | None = param(
        None, reader=Whole(1, 65535), help="Port to connect to; empty: the instance's own."
    )


class TcpExchange:
    """Nothing is said: the connection is closed as soon as it stands."""

    __slots__ = ()
    waiting = "connecting"

    def opened(self) -> bytes | Answer:
        """Accepted is enough."""
        return ACCEPTED

    def received(self, data: bytes) -> Answer | None:
        """Whatever a server says first, it accepted."""
        del data
        return ACCEPTED

    def ended(self) -> Answer:
        """Closed before it stood."""
        return CLOSED_EARLY


def _prepare(params: TcpParams, address: str, port: int) -> Opener:
    del params, address, port
    return TcpExchange


KIND = Kind(name="tcp", title="TCP connection", params=TcpParams, prepare=_prepare, keeps=False)
