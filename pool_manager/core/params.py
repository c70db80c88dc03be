"""Settings of a kind, declared once: forms, schema and docs are made from the declaration.

A kind's settings are a frozen dataclass whose fields are made with `param(...)`. `params_read` gives
the typed object or one `ParamsError` with every fault found.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pool_manager.core.errors import Invalid

T = TypeVar("T")

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)

SHOWN_CHARS = 60
DIGITS_MAX = 18  # int() refuses thousands of them


@dataclass(frozen=True, slots=True)
class Fault:
    """One field at fault: what was given, what is wrong with it and what to give instead."""

    field: str
    value: object
    problem: str


class ParamsError(Invalid):
    """Settings that cannot be accepted; `found` has every fault, not only the first."""

    code = "invalid_params"

    def __init__(self, found: Sequence[Fault]) -> None:
        self.found = tuple(found)
        super().__init__({fault.field: fault.problem for fault in found})


class Reader(Protocol):
    """How a value of one type is checked; `read` raises ValueError with problem and remedy."""

    type: ClassVar[str]

    def read(self, value: object) -> object:
        """The value as the settings hold it."""
        ...

    def from_text(self, text: str) -> object:
        """What a form's text stands for, not yet checked."""
        ...


def shown(value: object) -> str:
    """A value as messages quote it: short, and on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


@dataclass(frozen=True, slots=True)
class Text:
    """A string; `check` names the problem of one that does not fit."""

    type: ClassVar[str] = "text"
    max_length: int = 2048

    def read(self, value: object) -> object:
        """The string itself."""
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is not text")  # noqa: TRY004 - one error for bad input
        if len(value) > self.max_length:
            raise ValueError(f"is {len(value)} characters long; at most {self.max_length}")
        return value

    def from_text(self, text: str) -> object:
        """The text stands for itself."""
        return text


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a fixed list."""

    type: ClassVar[str] = "choice"
    choices: tuple[str, ...]

    def read(self, value: object) -> object:
        """The word, exactly as listed."""
        if value not in self.choices:
            raise ValueError(f"{shown(value)} is not one of {', '.join(self.choices)}")
        return value

    def from_text(self, text: str) -> object:
        """The text is the word."""
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, both included."""

    type: ClassVar[str] = "int"
    low: int
    high: int

    def read(self, value: object) -> object:
        """The number; true and false are not numbers here."""
        fine = isinstance(value, int) and not isinstance(value, bool)
        if not fine or not self.low <= value <= self.high:  # type: ignore[operator] # `fine` says int
            raise ValueError(f"{shown(value)} is not a whole number from {self.low} to {self.high}")
        return value

    def from_text(self, text: str) -> object:
        """Digits become a number; anything else stays text and is refused by `read`."""
        digits = text.strip()
        fine = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX
        return int(digits) if fine else text


@dataclass(frozen=True, slots=True)
class JsonValue:
    """Any JSON value."""

    type: ClassVar[str] = "json"

    def read(self, value: object) -> object:
        """The value, when JSON can hold it."""
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{shown(value)} is not a JSON value") from error
        return value

    def from_text(self, text: str) -> object:
        """JSON when it reads as JSON, else the text itself: `ok` needs no quotes."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


@dataclass(frozen=True, slots=True)
class ParamField:
    """A declared setting, as forms, schema and docs need it."""

    name: str
    type: str
    default: object
    help: str
    optional: bool
    reader: Reader

    def read(self, value: object) -> object:
        """The value as the settings hold it; None is fine where the setting is optional."""
        if value is None and self.optional:
            return None
        return self.reader.read(value)


def param(default: T, *, reader: Reader, help: str) -> T:  # noqa: A002 - the word forms use
    """Declare a setting of a kind; a default of None makes it optional."""
    meta = {"reader": reader, "help": help}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: default, metadata=meta)
    return dataclasses.field(default=default, metadata=meta)


def params_fields(cls: type[DataclassInstance]) -> tuple[ParamField, ...]:
    """The declared settings of a kind, in order."""
    return tuple(_declared(field) for field in dataclasses.fields(cls))


def _declared(field: dataclasses.Field[Any]) -> ParamField:
    factory = field.default_factory
    default = field.default if factory is dataclasses.MISSING else factory()
    reader: Reader = field.metadata["reader"]
    return ParamField(
        name=field.name,
        type=reader.type,
        default=default,
        help=field.metadata["help"],
        optional=default is None,
        reader=reader,
    )


def params_read(cls: type[P], raw: Mapping[str, object]) -> P:
    """The typed settings, or one ParamsError with all faults: fields, unknown names, combinations.

    A class may have `faults(self) -> Iterable[Fault]` for what concerns several fields at once.
    """
    declared = params_fields(cls)
    found = list(_unknown(raw, [field.name for field in declared]))
    values: dict[str, object] = {}
    for field in declared:
        if field.name not in raw:
            continue
        try:
            values[field.name] = field.read(raw[field.name])
        except ValueError as error:
            found.append(Fault(field.name, raw[field.name], str(error)))
    made = cls(**values)
    together = getattr(made, "faults", None)
    if together is not None and not found:
        found.extend(together())
    if found:
        raise ParamsError(found)
    return made


def params_from_text(cls: type[DataclassInstance], texts: Mapping[str, str]) -> dict[str, object]:
    """What a form's texts stand for, to be given to `params_read`; empty texts are left out."""
    readers = {field.name: field.reader for field in params_fields(cls)}
    return {
        name: readers[name].from_text(text) if name in readers else text
        for name, text in texts.items()
        if text != ""
    }


def _unknown(raw: Mapping[str, object], names: list[str]) -> Iterable[Fault]:
    for name in raw:
        if name in names:
            continue
        near = difflib.get_close_matches(str(name), names, n=1)
        remedy = f"did you mean {near[0]}" if near else f"known are {', '.join(names)}"
        yield Fault(str(name), raw[name], f"is not a setting of this kind; {remedy}")
