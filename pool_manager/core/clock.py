"""The wall clock, read in one place. Rules take `now` as an argument; services read it once."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment, UTC."""
    return dt.datetime.now(dt.UTC)
