"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import uuid


def uuid7(*, unix_ms: int, random_bits: int) -> uuid.UUID:
    """A version 7 UUID (RFC 9562, 5.7) from a time in milliseconds and 74 random bits."""
    high = random_bits >> 62 & 0xFFF
    low = random_bits & (1 << 62) - 1
    value = (unix_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return uuid.UUID(int=value)
