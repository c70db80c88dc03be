"""The errors of the product, drawn as one tree.

PoolManagerError          base: carries a stable `code`
├─ Invalid                the caller's input is at fault; says field, value and remedy
├─ Conflict               the state moved on under the caller
├─ NotFound               no such thing
└─ Unavailable            a store does not answer; try again after `retry_after_s`
"""

from __future__ import annotations


class PoolManagerError(Exception):
    """Base of everything the product raises on purpose."""

    code = "error"


class Invalid(PoolManagerError):
    """Input that cannot be accepted, with one sentence for each field at fault."""

    code = "invalid"

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in faults.items()))


class Conflict(PoolManagerError):
    """A compare-and-set that found another value than the caller knew."""

    code = "conflict"


class NotFound(PoolManagerError):
    """The named thing does not exist."""

    code = "not_found"


class Unavailable(PoolManagerError):
    """A store that does not answer in time."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)
