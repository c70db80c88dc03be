"""What an HTTP answer must be like, and how such settings are read from text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import orjson

from pool_manager.core.params import Text, shown

BodyJudge = Callable[[bytes], str]
"""Gives the problem of a body, or an empty string."""

HEADERS_MAX = 32
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_STATUS_PART = re.compile(r"([1-5][0-9][0-9])(?:-([1-5][0-9][0-9]))?")
_OURS = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "expect", "te"}


@dataclass(frozen=True, slots=True)
class PrintableText(Text):
    """ASCII without spaces and control characters."""

    def read(self, value: object) -> object:
        """The text, when every character is visible."""
        text = str(Text.read(self, value))
        if not text or any(not "!" <= char <= "~" for char in text):
            raise ValueError(f"{shown(value)} must be visible ASCII without spaces")
        return text


@dataclass(frozen=True, slots=True)
class RequestPath(PrintableText):
    """What follows the method in the request line."""

    def read(self, value: object) -> object:
        """The path, when it is safe in a request line."""
        text = Text.read(self, value)
        if not str(text).startswith("/"):
            raise ValueError(f"{shown(value)} must start with /, such as /healthz")
        if any(not "!" <= char <= "~" for char in str(text)):
            raise ValueError(
                f"{shown(value)} has a space, control or non-ASCII character; percent-encode it"
            )
        return text


@dataclass(frozen=True, slots=True)
class StatusSet(Text):
    """Statuses as `200-399` or `200,204`."""

    def read(self, value: object) -> object:
        """The text, when it can be parsed."""
        text = str(Text.read(self, value))
        statuses_parse(text)
        return text


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """Header names and values."""

    type: ClassVar[str] = "mapping"

    def read(self, value: object) -> object:
        """A plain dict, when each header is safe to send and not one we must set ourselves."""
        if not isinstance(value, Mapping):
            raise ValueError(f"{shown(value)} is not a mapping of names to values")  # noqa: TRY004 - one error for bad input
        if len(value) > HEADERS_MAX:
            raise ValueError(f"has {len(value)} headers; at most {HEADERS_MAX}")
        for name, text in value.items():
            problem = _header_problem(name, text)
            if problem:
                raise ValueError(problem)
        return dict(value)

    def from_text(self, text: str) -> object:
        """`Name: value` lines; one that is not such a line stays text and is refused."""
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        if all(colon for _, colon, _ in pairs):
            return {name.strip(): value.strip() for name, _, value in pairs}
        return text


def _header_problem(name: object, value: object) -> str:
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        return f"{shown(name)} is not a header name"
    if name.lower() in _OURS:
        return f"{name} is set by the prober; remove it (the setting `host` sets Host)"
    if not isinstance(value, str) or len(value) > 1024:  # noqa: PLR2004 - one line of a request
        return f"the value of {name} is not text of at most 1024 characters"
    if any(ord(char) > 255 or (char != "\t" and not char.isprintable()) for char in value):  # noqa: PLR2004 - latin-1
        return f"the value of {name} has a line break, control or non-Latin-1 character"
    return ""


@lru_cache(maxsize=256)  # a set of 200 numbers is 8 KiB; thousands of targets share few
def statuses_parse(text: str) -> frozenset[int]:
    """The statuses meant by `200-399`, `200,204` or a mix."""
    found: set[int] = set()
    for part in text.split(","):
        match = _STATUS_PART.fullmatch(part.strip())
        if not match:
            raise ValueError(f"{shown(part)} is not a status; write 200-399 or 200,204")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{shown(part)} runs backwards; write the lower status first")
        found.update(range(first, last + 1))
    return frozenset(found)


def body_judge(contains: str | None, path: str | None, equals: object) -> BodyJudge | None:
    """One judge of all body conditions, or None when there is nothing to judge."""
    judges: list[BodyJudge] = []
    if contains is not None:
        judges.append(_contains(contains))
    if path is not None:
        judges.append(_json_equals(path, equals))
    if not judges:
        return None
    return lambda body: next((problem for judge in judges if (problem := judge(body))), "")


def _contains(text: str) -> BodyJudge:
    wanted = text.encode()
    problem = f"body does not contain {shown(text)}"
    return lambda body: "" if wanted in body else problem


def _json_equals(path: str, expected: object) -> BodyJudge:
    steps = path.split(".")

    def judge(body: bytes) -> str:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "body is not JSON"
        for step in steps:
            try:
                value = value[int(step)] if isinstance(value, list) else value[step]
            except (KeyError, IndexError, TypeError, ValueError):
                return f"JSON has no {path}"
        if _same(value, expected):
            return ""
        return f"JSON {path} is {shown(value)}, expected {shown(expected)}"

    return judge


def _same(value: object, expected: object) -> bool:
    """Equal as JSON: true is not 1."""
    return isinstance(value, bool) is isinstance(expected, bool) and value == expected
