"""Every probe kind keeps one contract; the http kind is read byte by byte."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.core.params import ParamsError, params_from_text, params_read
from pool_manager.health.probes import KINDS
from pool_manager.health.probes.base import Answer, Exchange, Kind
from pool_manager.health.probes.http import HttpParams, request_bytes

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
class TestContract:
    def test_table_is_sorted_and_named(self, kind: Kind) -> None:
        assert list(KINDS) == sorted(KINDS)
        assert KINDS[kind.name] is kind

    def test_defaults_are_valid_settings(self, kind: Kind) -> None:
        defaults = {field.name: field.default for field in kind.fields}
        assert kind.params_parse(defaults) == kind.params_parse({})

    def test_settings_are_frozen_and_each_is_explained(self, kind: Kind) -> None:
        params = kind.params_parse({})
        with pytest.raises(dataclasses.FrozenInstanceError):
            params.port = 1  # type: ignore[attr-defined] # that is the point
        assert all(field.help.endswith(".") for field in kind.fields)

    def test_unknown_setting_is_a_fault(self, kind: Kind) -> None:
        with pytest.raises(ParamsError, match="ports: is not a setting of this kind; did you mean"):
            kind.params_parse({"ports": 1})

    def test_own_port_wins(self, kind: Kind) -> None:
        assert kind.port(kind.params_parse({}), 80) == 80
        assert kind.port(kind.params_parse({"port": 81}), 80) == 81

    @pytest.mark.parametrize("port", [0, 65536, "80", True, 1.5])
    def test_port_out_of_range(self, kind: Kind, port: object) -> None:
        with pytest.raises(ParamsError, match="is not a whole number from 1 to 65535"):
            kind.params_parse({"port": port})

    def test_an_exchange_says_or_answers_and_ends(self, kind: Kind) -> None:
        exchange = kind.prepare(kind.params_parse({}), "127.0.0.1", 80)()
        assert exchange.waiting
        assert isinstance(exchange.opened(), bytes | Answer)
        assert exchange.ended().closed

    @given(data=st.binary(max_size=200))
    def test_whatever_arrives_is_an_answer_or_not_yet(self, kind: Kind, data: bytes) -> None:
        exchange = kind.prepare(kind.params_parse({}), "127.0.0.1", 80)()
        assert isinstance(exchange.received(data), Answer | None)
        assert isinstance(exchange.ended(), Answer)


FAULTS = [
    ({"method": "DELETE"}, "method: 'DELETE' is not one of GET, HEAD, POST, OPTIONS"),
    ({"path": "healthz"}, "path: 'healthz' must start with /"),
    ({"path": "/a b"}, "percent-encode it"),
    ({"path": "/a\r\nX: y"}, "percent-encode it"),
    ({"host": "a\r\nb"}, "host: .* must be visible ASCII"),
    ({"headers": {"Host": "x"}}, "headers: Host is set by the prober"),
    ({"headers": {"connection": "close"}}, "connection is set by the prober"),
    ({"headers": {"content-length": "1"}}, "content-length is set by the prober"),
    ({"headers": {"X-A": "1\r\nX-B: 2"}}, "the value of X-A has a line break"),
    ({"headers": {"X A": "1"}}, "'X A' is not a header name"),
    ({"headers": "X-A"}, "is not a mapping"),
    ({"expect": "200-"}, "expect: '200-' is not a status"),
    ({"expect": "600"}, "'600' is not a status"),
    ({"expect": "300-200"}, "runs backwards"),
    ({"max_body": 1024 * 1024 + 1}, "from 0 to 1048576"),
    ({"json_path": "a"}, "json_equals: is missing"),
    ({"json_equals": 1}, "json_path: is missing"),
    ({"json_path": "a", "json_equals": float("nan")}, "is not a JSON value"),
    ({"body_contains": "x", "method": "HEAD"}, "method: has no body to judge"),
    ({"body_contains": "x", "max_body": 0}, "max_body: leaves no body"),
]


@pytest.mark.parametrize(("raw", "message"), FAULTS)
def test_http_settings_at_fault(raw: dict[str, object], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        params_read(HttpParams, raw)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ParamsError) as caught:
        params_read(HttpParams, {"path": "x", "port": 0, "expect": "ok", "pth": "/"})
    assert sorted(fault.field for fault in caught.value.found) == ["expect", "path", "port", "pth"]


def test_form_texts_become_settings() -> None:
    texts = {"port": "8080", "headers": "X-A: 1\nX-B: b c\n", "json_path": "ok",
             "json_equals": "true", "host": "", "expect": "200"}  # fmt: skip
    params = params_read(HttpParams, params_from_text(HttpParams, texts))
    assert params == HttpParams(
        port=8080,
        headers={"X-A": "1", "X-B": "b c"},
        json_path="ok",
        json_equals=True,
        expect="200",
    )


@given(
    path=st.text(max_size=40).map(lambda text: "/" + text),
    host=st.none() | st.text(max_size=20),
    headers=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_no_accepted_setting_breaks_out_of_its_line(
    path: str, host: str | None, headers: dict[str, str]
) -> None:
    try:
        params = params_read(HttpParams, {"path": path, "host": host, "headers": headers})
    except ParamsError:
        return
    raw = request_bytes(params, "127.0.0.1", 80)
    seen: list[bytes] = []
    parser = httptools.HttpRequestParser(_Request(seen))
    parser.feed_data(raw)
    ours = {b"host", b"user-agent", b"accept"}
    assert {name.lower() for name in seen} - ours == {h.lower().encode() for h in headers} - ours
    assert raw.count(b"\n") == raw.count(b"\r\n") == len(seen) + 2


class _Request:
    def __init__(self, seen: list[bytes]) -> None:
        self._seen = seen

    def on_header(self, name: bytes, value: bytes) -> None:
        del value
        self._seen.append(name)


def http(**raw: object) -> Exchange:
    kind = KINDS["http"]
    return kind.prepare(kind.params_parse(raw), "10.0.0.1", 80)()


@pytest.mark.parametrize(
    ("raw", "data", "reusable"),
    [
        ({}, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        ({}, b"HTTP/1.1 204 No Content\r\n\r\n", True),
        ({}, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
        ({}, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        ({"method": "HEAD"}, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", True),
        ({"method": "HEAD"}, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n", False),
        ({}, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        ({}, b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        ({}, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", False),
        ({}, b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nx", False),
    ],
)  # fmt: skip
def test_good_answers_and_whether_the_connection_lasts(
    raw: dict[str, object], data: bytes, *, reusable: bool
) -> None:
    whole = http(**raw).received(data)
    assert whole is not None
    assert (whole.ok, whole.reusable) == (True, reusable)


@given(cuts=st.lists(st.integers(1, 120), max_size=6))
def test_an_answer_may_arrive_in_any_pieces(cuts: list[int]) -> None:
    data = (
        b"HTTP/1.1 200 OK\r\nX-Boot-Id: b7\r\nX-Load: 0.5\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"ok": 1,\r\n8\r\n "b": 2}\r\n0\r\n\r\n'
    )
    exchange = http(json_path="b", json_equals=2)
    at = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    said = [exchange.received(data[a:b]) for a, b in pairwise(at)]
    assert said[:-1] == [None] * (len(said) - 1)
    assert said[-1] == Answer(ok=True, reusable=True, boot_id="b7", load=0.5)


@pytest.mark.parametrize("load", [b"1.5", b"nan", b"-1", b"busy"])
def test_a_load_that_is_none_is_no_news(load: bytes) -> None:
    told = http().received(b"HTTP/1.1 204 x\r\nX-Load: " + load + b"\r\n\r\n")
    assert told is not None
    assert told.load is None


def test_endless_headers_end() -> None:
    exchange = http()
    exchange.received(b"HTTP/1.1 200 OK\r\n")
    answers = (exchange.received(b"X-A: " + b"a" * 1000 + b"\r\n") for _ in range(100))
    found = next(answer for answer in answers if answer)
    assert found.ok is False
    assert found.reason.startswith(("headers over 65536 bytes", "malformed answer"))
