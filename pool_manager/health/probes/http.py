"""Probe kind `http`: one HTTP/1.1 request; status, body and JSON conditions judge the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httptools

from pool_manager.core.params import Choice, Fault, JsonValue, Text, Whole, param, shown
from pool_manager.health.probes.base import CLOSED_EARLY, Answer, Kind, Opener
from pool_manager.health.probes.http_conditions import (
    BodyJudge,
    HeaderMap,
    PrintableText,
    RequestPath,
    StatusSet,
    body_judge,
    statuses_parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HEADERS_MAX_BYTES = 65536
BOOT_ID_MAX = 100  # as much as the registry keeps
CUT_SHORT = Answer(ok=False, reason="connection closed before the answer was complete", closed=True)


@dataclass(frozen=True, slots=True)
class HttpParams:
    """Settings of an `http` probe."""

    method: str = param(
        "GET", reader=Choice(("GET", "HEAD", "POST", "OPTIONS")), help="Request method."
    )
    path: str = param("/healthz", reader=RequestPath(), help="Path and query; starts with /.")
    port: int | None = param(
        None, reader=Whole(1, 65535), help="Port to connect to; empty: the instance's own."
    )
    host: str | None = param(
        None, reader=PrintableText(255), help="Host header; empty: the address and port."
    )
    headers: dict[str, str] = param(  # noqa: RUF009 - `param` makes a field, not a value
        {}, reader=HeaderMap(), help="Further request headers, one `Name: value` a line."
    )
    expect: str = param(
        "200-399", reader=StatusSet(), help="Statuses that are a success: 200-399 or 200,204."
    )
    body_contains: str | None = param(
        None, reader=Text(1024), help="Text the body must contain (UTF-8)."
    )
    json_path: str | None = param(
        None, reader=PrintableText(255), help="Place in a JSON body: status or checks.0.ok."
    )
    json_equals: object = param(
        None, reader=JsonValue(), help="JSON value expected there; null cannot be expected."
    )
    max_body: int = param(
        65536, reader=Whole(0, 1024 * 1024), help="Bytes of body read at most, 0 to 1 MiB."
    )

    def faults(self) -> Iterable[Fault]:
        """What only shows when fields are seen together."""
        if (self.json_path is None) != (self.json_equals is None):
            missing = "json_path" if self.json_path is None else "json_equals"
            yield Fault(missing, None, "is missing; set json_path and json_equals, or neither")
        judged = self.json_path is not None or self.body_contains is not None
        if judged and self.method == "HEAD":
            yield Fault("method", "HEAD", "has no body to judge; use GET with a body condition")
        if judged and self.max_body == 0:
            yield Fault("max_body", 0, "leaves no body to judge; raise it or drop the condition")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all probes of one target share."""

    request: bytes
    bodyless: bool
    expect: frozenset[int]
    expect_text: str
    judge: BodyJudge | None
    max_body: int


class HttpExchange:
    """One request and its answer; the methods starting with `on_` are called by the parser."""

    __slots__ = (
        "_body", "_boot_id", "_complete", "_framed", "_headers_done", "_keep", "_length", "_load",
        "_parser", "_plan", "_raw", "_size", "_status",
    )  # fmt: skip

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._headers_done = False
        self._complete = False
        self._keep = False
        self._framed = False  # the answer says itself where its body ends
        self._length = 0  # as announced
        self._size = 0  # as received
        self._raw = 0
        self._body: list[bytes] = []
        self._boot_id = ""
        self._load: float | None = None

    @property
    def waiting(self) -> str:
        """What a timeout interrupts."""
        return "reading body" if self._headers_done else "waiting for headers"

    def opened(self) -> bytes | Answer:
        """The request."""
        return self._plan.request

    def received(self, data: bytes) -> Answer | None:
        """Feed the parser, then judge as early as the answer allows."""
        if not self._headers_done:
            self._raw += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._complete = True  # 101 and the like: an answer; the connection is no longer HTTP
            self._keep = False
        except httptools.HttpParserError as error:
            if not self._complete:
                return self._answer(ok=False, reason=f"malformed answer: {_one_line(error)}")
            self._keep = False  # it said more than it was asked
        if self._headers_done or self._complete:
            return self._judged()
        if self._raw > HEADERS_MAX_BYTES:
            return self._answer(ok=False, reason=f"headers over {HEADERS_MAX_BYTES} bytes")
        return None

    def ended(self) -> Answer:
        """A body without length ends with the connection; anything else was cut short."""
        self._keep = False
        if self._headers_done and not self._framed:
            self._complete = True
            return self._judged() or CUT_SHORT
        return CUT_SHORT if self._raw else CLOSED_EARLY

    def on_header(self, name: bytes, value: bytes) -> None:
        """Headers that matter; trailers do not."""
        if self._headers_done:
            return
        take = _HEADERS.get(name.lower())
        if take is not None:
            take(self, value)

    def on_headers_complete(self) -> None:
        """Status and keep-alive are known; an interim answer (1xx) announces the real one."""
        if self._complete:
            return
        self._status = self._parser.get_status_code()
        if 100 <= self._status < 200 and self._status != 101:  # noqa: PLR2004 - the 1xx class
            return
        self._headers_done = True
        self._keep = self._parser.should_keep_alive()
        if self._plan.bodyless:  # HEAD: a length is announced, no body follows
            self._complete = True

    def on_message_begin(self) -> None:
        """A second message: it says more than it was asked."""
        if self._complete:
            self._keep = False

    def on_body(self, data: bytes) -> None:
        """Count; keep the bytes only for a condition that can still be judged."""
        if self._complete:
            return
        self._size += len(data)
        if self._plan.judge is not None and self._size <= self._plan.max_body:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The end, unless it was an interim answer."""
        if self._headers_done:
            self._complete = True

    def _judged(self) -> Answer | None:
        plan = self._plan
        if self._status not in plan.expect:
            return self._answer(
                ok=False, reason=f"HTTP {self._status}, expected {plan.expect_text}"
            )
        if not plan.bodyless and max(self._size, self._length) > plan.max_body:
            self._complete, self._keep = False, False
            if plan.judge is None:
                return self._answer(ok=True)
            return self._answer(ok=False, reason=f"body over {plan.max_body} bytes")
        if not self._complete:
            return None
        problem = plan.judge(b"".join(self._body)) if plan.judge else ""
        return self._answer(ok=not problem, reason=problem)

    def _answer(self, *, ok: bool, reason: str = "") -> Answer:
        return Answer(
            ok=ok,
            reason=reason,
            reusable=self._complete and self._keep,
            boot_id=self._boot_id,
            load=self._load,
        )

    def take_length(self, value: bytes) -> None:
        """Content-Length, checked by the parser."""
        self._framed = True
        self._length = int(value) if value.isdigit() else 0

    def take_framing(self, value: bytes) -> None:
        """Transfer-Encoding."""
        self._framed = value.strip().lower().endswith(b"chunked")

    def take_boot_id(self, value: bytes) -> None:
        """Which start of the process answers."""
        self._boot_id = value.decode("latin-1").strip()[:BOOT_ID_MAX]

    def take_load(self, value: bytes) -> None:
        """How busy it says it is; anything but 0..1 is no news."""
        try:
            load = float(value)
        except ValueError:
            return
        self._load = load if math.isfinite(load) and 0.0 <= load <= 1.0 else None


_HEADERS: dict[bytes, Callable[[HttpExchange, bytes], None]] = {
    b"content-length": HttpExchange.take_length,
    b"transfer-encoding": HttpExchange.take_framing,
    b"x-boot-id": HttpExchange.take_boot_id,
    b"x-load": HttpExchange.take_load,
}


def _one_line(error: Exception) -> str:
    return shown(str(error) or type(error).__name__)[1:-1]


def _prepare(params: HttpParams, address: str, port: int) -> Opener:
    plan = _Plan(
        request=request_bytes(params, address, port),
        bodyless=params.method == "HEAD",
        expect=statuses_parse(params.expect),
        expect_text=params.expect,
        judge=body_judge(params.body_contains, params.json_path, params.json_equals),
        max_body=params.max_body,
    )
    return lambda: HttpExchange(plan)


def request_bytes(params: HttpParams, address: str, port: int) -> bytes:
    """The request as sent on the wire."""
    literal = f"[{address}]" if ":" in address else address
    headers = {"Host": params.host or f"{literal}:{port}"}
    given = {name.lower() for name in params.headers}
    if "user-agent" not in given:
        headers["User-Agent"] = "pool-manager-prober"
    if "accept" not in given:
        headers["Accept"] = "*/*"
    if params.method == "POST":
        headers["Content-Length"] = "0"
    lines = [f"{params.method} {params.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (headers | params.headers).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


KIND = Kind(name="http", title="HTTP request", params=HttpParams, prepare=_prepare, keeps=True)
