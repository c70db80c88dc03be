"""The probe kinds. To add one: one file, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pool_manager.health.probes import http, tcp

if TYPE_CHECKING:
    from pool_manager.health.probes.base import Kind

KINDS: dict[str, Kind] = {
    "http": http.KIND,
    "tcp": tcp.KIND,
}
