from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.http_message import Refusal, answer_encode, answer_json, head_parse


def head(*lines: str, first: str = "POST /process?x=1 HTTP/1.1") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def test_a_head_is_read() -> None:
    parsed = head_parse(head("Host: a", "Content-Length:  12 ", "X-A: 1", "x-a: 2"))
    assert (parsed.method, parsed.path, parsed.length) == ("POST", "/process", 12)
    assert parsed.headers["x-a"] == "1, 2"
    assert parsed.keep_alive


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(head(first="GET /"), 400, id="no version"),
        pytest.param(head(first="GET / HTTP/2"), 505, id="another version"),
        pytest.param(head(first="GET http://a/ HTTP/1.1"), 400, id="absolute target"),
        pytest.param(head(first="G(T / HTTP/1.1"), 400, id="method is no token"),
        pytest.param(head("no colon"), 400, id="header without colon"),
        pytest.param(head("A : 1"), 400, id="space before colon"),
        pytest.param(head(" folded"), 400, id="folded header"),
        pytest.param(head("A: 1\n2"), 400, id="bare line feed"),
        pytest.param(head("Content-Length: -1"), 400, id="negative length"),
        pytest.param(head("Content-Length: 1", "Content-Length: 1"), 400, id="two lengths"),
        pytest.param(head("Transfer-Encoding: chunked"), 411, id="chunked"),
    ],
)
def test_a_doubtful_head_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        head_parse(raw)
    assert refused.value.answer.status == status


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (head(), True),
        (head("Connection: Close"), False),
        (head("Connection: x, close"), False),
        (head(first="GET / HTTP/1.0"), False),
    ],
)
def test_a_connection_is_kept_when_both_may(raw: bytes, *, kept: bool) -> None:
    assert head_parse(raw).keep_alive is kept


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_refused(raw: bytes) -> None:
    with suppress(Refusal):
        assert head_parse(raw + b"\r\n\r\n").path.startswith("/")


def test_an_answer_to_head_has_the_length_and_no_body() -> None:
    raw = answer_encode(answer_json(200, {"a": 1}), keep_alive=True, with_body=False)
    assert b"Content-Length: 9\r\n" in raw
    assert raw.endswith(b"\r\n\r\n")
