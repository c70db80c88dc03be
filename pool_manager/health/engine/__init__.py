"""The probing process: sockets, time and verdicts, without Django."""

from __future__ import annotations
