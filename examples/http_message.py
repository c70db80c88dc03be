"""HTTP/1.1 messages as values: a request head parsed strictly, an answer written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
TARGET = re.compile(r"/[\x21-\x7e]*")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
REQUEST_LINE_PARTS = 3
LENGTH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """What the caller is told instead of a result."""

    def __init__(
        self, status: int, error: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.answer = answer_json(status, {"error": error}, headers=headers)


@dataclass(frozen=True, slots=True)
class Head:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    length: int
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def answer_json(
    status: int, content: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(status, json.dumps(content).encode() + b"\n", headers=headers or {})


def answer_encode(answer: Answer, *, keep_alive: bool, with_body: bool = True) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + answer.body if with_body else head


def head_parse(raw: bytes) -> Head:
    """Parse a request head up to and with its empty line; anything ambiguous is refused."""
    first, *rest = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != REQUEST_LINE_PARTS or not TOKEN.fullmatch(parts[0]):
        raise Refusal(
            400, f"request line {first[:80]!r} is malformed: send 'METHOD /path HTTP/1.1'"
        )
    method, target, version = parts
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise Refusal(505, f"version {version[:20]!r} is not spoken here: send HTTP/1.1")
    if not TARGET.fullmatch(target):
        raise Refusal(400, f"target {target[:80]!r} is not a path: it starts with /")
    headers = _headers(rest)
    tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return Head(
        method=method,
        path=target.partition("?")[0],
        headers=headers,
        length=_length(headers),
        keep_alive=version == "HTTP/1.1" and "close" not in tokens,
    )


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, text = line.partition(":")
        value = text.strip(" \t")
        if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
            raise Refusal(400, f"header line {line[:80]!r} is malformed: send 'Name: value'")
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise Refusal(411, "Transfer-Encoding is not read here: send Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= LENGTH_DIGITS):
        raise Refusal(400, f"Content-Length {text[:40]!r} is not one whole number of bytes")
    return int(text)
