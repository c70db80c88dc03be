"""Pure rules of the fleet: what may change, what is routable, what an address line means."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass

from pool_manager.fleet.kinds import LIFE_CHANGES, Health, Life, Override

PORT_MAX = 65535
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
PORT_DIGITS = 9  # int() refuses thousands of digits
NAME_MAX = 253  # RFC 1035: a host name, and one label of it
LABEL_MAX = 63


def life_change_allowed(old: Life, new: Life) -> bool:
    """Whether the life cycle has an arrow from `old` to `new`."""
    return new in LIFE_CHANGES[old]


def override_effective(*overrides: Override) -> Override:
    """The override that counts, given those of zone, host, pool and instance: maintenance first."""
    for word in (Override.MAINTENANCE, Override.DRAIN):
        if word in overrides:
            return word
    return Override.NONE


def routable(*, life: Life, override: Override, health: Health, ejected: bool) -> bool:
    """Whether callers are sent there (outside panic)."""
    return (
        life is Life.IN_SERVICE
        and override is Override.NONE
        and health in {Health.UP, Health.DEGRADED}
        and not ejected
    )


def instance_name(*, pool: str, host: str, port: int) -> str:
    """The string that stands for an instance in events: `pool@host:port`."""
    return f"{pool}@{host}:{port}"


def host_name(address: str) -> str:
    """A host's name made of an address: valid as one, and another for another address.

    What a name cannot hold (colons of IPv6, more than 63 characters) is replaced, and eight digits of
    a digest keep the result apart from others.
    """
    if len(address) <= LABEL_MAX and _NAME.fullmatch(address):
        return address
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    plain = re.sub(r"[^a-z0-9.-]", "-", address.lower()).strip("-.")[: LABEL_MAX - 9].rstrip("-.")
    return f"{plain}-{digest}" if plain else f"host-{digest}"


@dataclass(frozen=True, slots=True)
class AddressLine:
    """One pasted `host:port` line, read."""

    number: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LineFault:
    """One pasted line that cannot be read, with what to do about it."""

    number: int
    text: str
    problem: str


def address_lines_parse(text: str, *, limit: int) -> tuple[list[AddressLine], list[LineFault]]:
    """Read pasted `host:port` lines; blank lines and `#` comments are skipped, duplicates are faults."""
    good: list[AddressLine] = []
    bad: list[LineFault] = []
    seen: dict[tuple[str, int], int] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if len(good) >= limit:
            bad.append(LineFault(number, line, f"more than {limit} instances; split the list"))
            break
        parsed = _address_line(number, line)
        if isinstance(parsed, LineFault):
            bad.append(parsed)
        elif first := seen.get((parsed.host, parsed.port)):
            bad.append(LineFault(number, line, f"the same as line {first}; remove one"))
        else:
            seen[parsed.host, parsed.port] = number
            good.append(parsed)
    return good, bad


def _address_line(number: int, line: str) -> AddressLine | LineFault:
    host, colon, port_text = line.rpartition(":")
    if not colon or not host:
        return LineFault(number, line, "no port; write host:port, such as 10.0.0.5:8080")
    digits = port_text.isascii() and port_text.isdigit() and len(port_text) <= PORT_DIGITS
    if not digits or not 1 <= int(port_text) <= PORT_MAX:
        return LineFault(number, line, f"port {port_text!r} is not a number from 1 to {PORT_MAX}")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return AddressLine(number, str(ipaddress.ip_address(bare)), int(port_text))
    except ValueError:
        return _named_line(number, line, bare, int(port_text))


def _named_line(number: int, line: str, name: str, port: int) -> AddressLine | LineFault:
    labels = name.rstrip(".").split(".")
    fine = len(name) <= NAME_MAX and all(
        0 < len(label) <= LABEL_MAX
        and label.isascii()
        and label.replace("-", "a").replace("_", "a").isalnum()
        for label in labels
    )
    if not fine or all(label.isdigit() for label in labels):
        return LineFault(number, line, f"{name!r} is neither an IP address nor a host name")
    return AddressLine(number, name.lower(), port)
