from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.middleware import policy_for
from pool_manager.journal.models import Entry

STRICT = policy_for("/")


@pytest.mark.parametrize(
    "path", ["/login/", "/admin/", "/admin/fleet/pool/", "/pools/new/", "/nowhere/", "/logout/"]
)
def test_every_answer_forbids_what_the_page_does_not_need(client: Client, path: str) -> None:
    assert client.get(path)["Content-Security-Policy"] == STRICT


def test_the_policy_allows_no_inline_script_nor_other_hosts() -> None:
    assert "unsafe" not in STRICT
    assert "http" not in STRICT
    assert "default-src 'self'" in STRICT
    assert "frame-ancestors 'none'" in STRICT


def test_only_styles_are_relaxed_and_only_for_the_job_queues() -> None:
    relaxed = policy_for("/admin/django_rq/dashboard/")
    assert relaxed.replace("style-src 'self' 'unsafe-inline'", "style-src 'self'") == STRICT


SHEET = b"a { color: red }\n" * 10_000


@pytest.fixture(autouse=True)
def sheet(settings: Settings) -> None:
    path = Path(settings.STATIC_ROOT) / "sheet.css"
    path.write_bytes(SHEET)
    Path(f"{path}.gz").write_bytes(gzip.compress(SHEET))


@pytest.mark.django_db
def test_static_files_need_neither_login_nor_a_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/static/sheet.css")
    assert answer.getvalue() == SHEET
    assert answer["Content-Security-Policy"] == STRICT
    answer.close()


async def fetched(path: str, **headers: str) -> tuple[int, bytes]:
    """Under ASGI. A synchronous iterator would warn, and warnings are errors."""
    answer: Any = await AsyncClient().get(path, headers=headers)
    # the test client empties a 304 itself, in its own way
    body = b"" if answer.status_code == 304 else b"".join([chunk async for chunk in answer])
    answer.close()
    return answer.status_code, body


async def test_static_files_stream_under_asgi() -> None:
    assert await fetched("/static/sheet.css") == (200, SHEET)


async def test_a_compressed_copy_is_sent_to_who_reads_it() -> None:
    status, body = await fetched("/static/sheet.css", **{"accept-encoding": "gzip"})
    assert (status, gzip.decompress(body)) == (200, SHEET)


async def test_a_range_is_answered_in_part() -> None:
    assert await fetched("/static/sheet.css", range="bytes=0-9") == (206, SHEET[:10])


async def test_a_known_file_is_not_sent_again() -> None:
    later = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert await fetched("/static/sheet.css", **{"if-modified-since": later}) == (304, b"")


def log_in(**fields: str) -> HttpResponseBase:
    answer: HttpResponseBase = Client().post("/login/", fields)
    return answer


@pytest.mark.usefixtures("operator")
def test_a_failed_login_is_journaled_without_the_password() -> None:
    log_in(username="ada", password="guess")
    entry = Entry.objects.get(kind="access.login_failed")
    assert entry.data == {"user": "ada", "address": "127.0.0.1"}
    assert "guess" not in str(entry.as_event())


@pytest.mark.django_db
def test_an_empty_form_is_not_an_attempt() -> None:
    log_in(username="", password="")
    assert not Entry.objects.filter(kind="access.login_failed").exists()


@pytest.mark.usefixtures("operator")
def test_the_message_does_not_tell_which_was_wrong() -> None:
    pages = [
        log_in(username=user, password="guess").getvalue().decode() for user in ("ada", "nobody")
    ]
    assert all("User or password is wrong" in page for page in pages)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/events/?pool=sms", "/events/?pool=sms"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\\evil.example", "/"),
    ],
)
@pytest.mark.usefixtures("operator")
def test_next_stays_on_this_site(wanted: str, reached: str) -> None:
    answer = log_in(username="ada", password="a long password", next=wanted)
    assert answer["Location"] == reached


@pytest.mark.parametrize(
    "path", ["/", "/pools/", "/events/", "/fleet.json", "/pools/new/", "/demo/remove/"]
)
@pytest.mark.django_db
def test_pages_ask_who_is_there(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=")


def test_a_form_without_its_token_changes_nothing(operator: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    answer = browser.post("/demo/remove/")
    assert answer.status_code == 403
    assert b"This form is too old" in answer.content
