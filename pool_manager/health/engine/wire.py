"""The lines between the engine and its parent: one JSON object each, of bounded length.

Parent to engine: `targets`, `allow`, `look`, `stop`. Engine to parent: `hello`, `report`.
All moments are seconds of CLOCK_MONOTONIC, which both processes share; the wall clock is never used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import NamedTuple

import orjson

LINE_MAX_BYTES = 4 * 1024 * 1024
BATCH = 500  # targets or results a line: some 200 KB at most in practice


class WireError(Exception):
    """A line that is no message, or longer than the other side may send."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to probe and how; `health` and `boot_id` are the last known, used when it is new."""

    id: str
    address: str
    port: int
    kind: str = "http"
    params: Mapping[str, object] = field(default_factory=dict)
    interval_ms: int = 1000
    timeout_ms: int = 250
    rise: int = 2
    fall: int = 3
    fast_ms: int = 100
    recheck_ms: int = 20
    health: str = "unknown"
    boot_id: str = ""


@dataclass(frozen=True, slots=True)
class Targets:
    """Add or change `set`, forget `drop`; a change of settings keeps the verdict."""

    set: tuple[Target, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowNetworks:
    """The networks probes may connect to; nothing is allowed before the first of these."""

    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Probe these now, unless a probe is running."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """End the process."""


Order = Targets | AllowNetworks | Look | Stop


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine is ready for orders."""

    pid: int
    fd_limit: int


@dataclass(frozen=True, slots=True)
class SignalRow:
    """Something changed: up, down, doubt, cleared, boot, restarted, tripwire_off."""

    id: str
    kind: str
    at: float
    reason: str = ""
    count: int = 0
    of: int = 0
    latency_ms: float | None = None
    boot_id: str = ""


class ResultRow(NamedTuple):
    """`times` equal outcomes in a row; `ok` None: nothing was learned about the target."""

    id: str
    ok: int | None
    reason: str
    times: int
    at: float
    latency_ms: float | None
    load: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What happened since the last report; `probes` and `stalls` count since the start."""

    mono: float
    signals: tuple[SignalRow, ...] = ()
    results: tuple[ResultRow, ...] = ()
    lag_ms: float = 0.0
    targets: int = 0
    probes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stalls: int = 0
    merged: int = 0  # results given up because the parent did not read for long


Message = Order | Hello | Report

_TAGS: dict[type[Message], str] = {
    Targets: "targets",
    AllowNetworks: "allow",
    Look: "look",
    Stop: "stop",
    Hello: "hello",
    Report: "report",
}
_TYPES: dict[str, Callable[..., Message]] = {tag: cls for cls, tag in _TAGS.items()}


def encode(message: Message) -> bytes:
    """One line."""
    body: dict[str, object] = {"t": _TAGS[type(message)]}
    if isinstance(message, Report):
        # the hot one: rows go as they are, `asdict` would copy them all
        body |= {name: getattr(message, name) for name in Report.__dataclass_fields__}
        body["results"] = [tuple(row) for row in message.results]
    else:
        body |= asdict(message)
    line = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    if len(line) > LINE_MAX_BYTES:
        raise WireError(f"a message of {len(line)} bytes; at most {LINE_MAX_BYTES} fit one line")
    return line


def encode_targets(targets: Iterable[Target], drop: Sequence[str] = ()) -> Iterator[bytes]:
    """Lines that set and drop targets, cut so that each fits."""
    rest = iter(targets)
    while batch := tuple(islice(rest, BATCH)):
        yield encode(Targets(set=batch))
    for start in range(0, len(drop), BATCH):
        yield encode(Targets(drop=tuple(drop[start : start + BATCH])))


def decode(line: bytes) -> Message:
    """The message of a line; fields it does not know are an error, so versions cannot mix."""
    try:
        body = orjson.loads(line)
        cls = _TYPES[body.pop("t")]
        return cls(**{name: _typed(name, value) for name, value in body.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"not a message: {line[:120]!r} ({error})") from error


def _typed(name: str, value: object) -> object:
    if not isinstance(value, list):
        return value
    if name == "set":
        return tuple(Target(**row) for row in value)
    if name == "signals":
        return tuple(SignalRow(**row) for row in value)
    if name == "results":
        return tuple(ResultRow(*row) for row in value)
    return tuple(value)


class LineReader:
    """Cuts a byte stream into lines; holds at most one unfinished line of LINE_MAX_BYTES."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_MAX_BYTES:
            raise WireError(f"a line longer than {LINE_MAX_BYTES} bytes")
        return lines
