"""What every probe kind is: typed settings and one probe's conversation, without any I/O.

The engine owns sockets and time. A kind says what to send, reads what comes back and gives the
answer; the same conversation can be tested byte by byte without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pool_manager.core.params import ParamField, params_fields, params_read

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Answer:
    """What one probe found.

    `ok` None: nothing was learned about the target (a fault of our own side).
    `closed`: the target refused or closed the connection, which is worth a quick second look.
    `reusable`: the connection may carry the next probe.
    """

    ok: bool | None
    reason: str = ""
    closed: bool = False
    reusable: bool = False
    boot_id: str = ""
    load: float | None = None


CLOSED_EARLY = Answer(ok=False, reason="connection closed before the answer", closed=True)


class Exchange(Protocol):
    """One probe's conversation on one connection."""

    @property
    def waiting(self) -> str:
        """What a timeout interrupts, as its reason says it: "waiting for headers"."""
        ...

    def opened(self) -> bytes | Answer:
        """The connection stands: bytes to send, or the answer when nothing needs to be said."""
        ...

    def received(self, data: bytes) -> Answer | None:
        """Bytes arrived: the answer, or None while it is not complete."""
        ...

    def ended(self) -> Answer:
        """The target closed its side."""
        ...


Opener = Callable[[], Exchange]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to probe. `prepare(params, address, port)` does once what all its probes share."""

    name: str
    title: str
    params: type[DataclassInstance]
    prepare: Callable[[Any, str, int], Opener]
    keeps: bool  # whether its connections may stay open between probes, as a tripwire

    @property
    def fields(self) -> tuple[ParamField, ...]:
        """The declared settings, for forms, schema and docs."""
        return params_fields(self.params)

    def params_parse(self, raw: Mapping[str, object]) -> DataclassInstance:
        """The typed settings, or a ParamsError with every fault."""
        return params_read(self.params, raw)

    def port(self, params: object, instance_port: int) -> int:
        """The port probed: the settings' own, else the instance's."""
        own: int | None = getattr(params, "port", None)
        return instance_port if own is None else own
