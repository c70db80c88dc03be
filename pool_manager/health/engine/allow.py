"""Where probes may connect to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The metadata service of clouds lives at a link-local address: never a probe's business.
LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))


class Allow:
    """The allowed networks; judges the address that is really connected to."""

    def __init__(self, cidrs: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)

    def refusal(self, address: str) -> str:
        """Why this address may not be probed, or an empty string."""
        ip = _real(ipaddress.ip_address(address))
        inside = any(ip in network for network in self._networks)
        if inside and not any(ip in network for network in LINK_LOCAL):
            return ""
        return f"address {ip} is outside POOL_MANAGER_PROBE_ALLOW"


def _real(ip: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped IPv6 one: the kernel connects to that."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip
