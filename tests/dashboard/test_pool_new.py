from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pool_manager.fleet.models import Host, Pool
from pool_manager.health.probes import KINDS
from pool_manager.journal.models import Entry


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of an instance that is up."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address that is taken, with nobody listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def filled(**changed: str) -> dict[str, str]:
    data = {
        "slug": "recording", "zone": "default", "lines": "127.0.0.1:9000", "probe_kind": "http",
        "http-method": "GET", "http-path": "/healthz", "http-expect": "200-399",
        "http-max_body": "65536", "interval_ms": "1000", "timeout_ms": "250", "rise": "2",
        "fall": "3", "fast_ms": "100", "recheck_ms": "20",
    }  # fmt: skip
    return {**data, **changed}


def sent(client: Client, do: str = "probe", **changed: str) -> Any:
    return client.post("/pools/new/", {**filled(**changed), "do": do})


def test_the_form_offers_every_setting_of_every_kind(client: Client) -> None:
    page = client.get("/pools/new/").content.decode()
    for kind in KINDS.values():
        for field in kind.fields:
            assert f'name="{kind.name}-{field.name}"' in page


def test_the_first_probe_says_who_answers_and_saves_nothing(
    client: Client, answering: str, refusing: str
) -> None:
    page = sent(client, lines=f"{answering}\n{refusing}")
    rows = [(row.line.number, row.ok, row.reason) for row in page.context["rows"]]
    assert rows == [(2, False, "connection refused"), (1, True, "")]
    assert b"1 of 2 answer" in page.content
    assert b"Save pool with 2 instances" in page.content
    assert not Pool.objects.exists()


def test_the_first_probe_uses_the_settings_given(client: Client, answering: str) -> None:
    page = sent(client, lines=answering, **{"http-path": "/other"})
    assert [row.reason for row in page.context["rows"]] == ["HTTP 404, expected 200-399"]


def test_an_address_that_may_not_be_probed_is_not(client: Client) -> None:
    page = sent(client, lines="169.254.169.254:80")
    assert "outside POOL_MANAGER_PROBE_ALLOW" in page.context["rows"][0].reason


def test_saving_makes_pool_hosts_zone_and_instances(client: Client) -> None:
    answer = sent(client, "save", lines="10.0.0.5:80\n10.0.0.5:81\n10.0.0.6:80", zone="rack-1")
    assert answer["Location"] == "/pools/recording/"
    pool = Pool.objects.get()
    assert pool.instances.count() == 3
    assert {host.zone.name for host in Host.objects.all()} == {"rack-1"}
    assert pool.probe_params == {}, "defaults are not frozen into the pool"
    kinds = Entry.objects.filter(actor="ada").values_list("kind", flat=True)
    assert {"zone.created", "host.created", "pool.created", "instance.registered"} == set(kinds)


def test_settings_that_differ_from_the_defaults_are_stored(client: Client) -> None:
    sent(
        client, "save", interval_ms="200",
        **{"http-path": "/up", "http-headers": "X-A: 1\r\nX-B: 2", "http-port": "8000"},
    )  # fmt: skip
    pool = Pool.objects.get()
    assert pool.interval_ms == 200
    assert pool.probe_params == {"path": "/up", "port": 8000, "headers": {"X-A": "1", "X-B": "2"}}


def test_a_tcp_pool_ignores_what_stands_in_the_http_fields(client: Client) -> None:
    sent(client, "save", probe_kind="tcp", **{"http-path": "nonsense", "tcp-port": "22"})
    assert (Pool.objects.get().probe_kind, Pool.objects.get().probe_params) == ("tcp", {"port": 22})


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"slug": ""}, "slug", "Name the pool"),
        ({"slug": "Not A Slug"}, "slug", "lower-case"),
        ({"slug": "new"}, "slug", "not 'new'"),
        ({"zone": "No Zone"}, "zone", "lower-case"),
        ({"lines": ""}, "lines", "Paste at least one"),
        ({"lines": "# none yet"}, "lines", "Only comments"),
        ({"lines": "10.0.0.5:80\n10.0.0.6"}, "lines", "Line 2: no port"),
        ({"lines": "10.0.0.5:80\n10.0.0.5:80"}, "lines", "Line 2: the same as line 1"),
        ({"lines": "a:1\nb:99999"}, "lines", "Line 2: port '99999'"),
        ({"lines": "\n".join(["bad"] * 50)}, "lines", "30 more lines have faults"),
        ({"lines": "\n".join(f"h:{n}" for n in range(1, 1002))}, "lines", "more than 1000"),
        ({"http-path": "healthz"}, "http-path", "/"),
        ({"http-expect": "ok"}, "http-expect", "not a status"),
        ({"http-headers": "no colon"}, "http-headers", "not a mapping"),
        ({"http-headers": "Host: x"}, "http-headers", "set by the prober"),
        ({"http-json_path": "status"}, "http-json_equals", "is missing"),
        ({"interval_ms": "1"}, "interval_ms", "from 50 to 3,600,000"),
        ({"timeout_ms": "soon"}, "timeout_ms", "from 10 to 60,000"),
        ({"fall": ""}, "fall", "from 1 to 100"),
        ({"probe_kind": "icmp"}, "probe_kind", "icmp"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_is_lost(
    client: Client, changed: dict[str, str], field: str, words: str
) -> None:
    page = sent(client, "save", **changed)
    form = page.context["form"]
    assert page.status_code == 422
    assert list(form.errors) == [field]
    assert words in " ".join(form.errors[field])
    given = filled(**changed)
    assert {name: form[name].value() for name in given} == given
    assert not Pool.objects.exists()


def test_all_faults_are_shown_at_once(client: Client) -> None:
    page = sent(client, slug="", lines="x", fall="0", **{"http-path": "x", "http-expect": "y"})
    assert {"slug", "lines", "fall", "http-path", "http-expect"} == set(page.context["form"].errors)


def test_a_taken_name_is_said_before_probing(client: Client) -> None:
    sent(client, "save")
    page = sent(client)
    assert "already" in page.context["form"].errors["slug"][0]


def test_who_may_not_is_told_who_may(stranger: User) -> None:
    browser = Client()
    browser.force_login(stranger)
    for path in ("/pools/new/", "/demo/remove/"):
        page = browser.get(path)
        assert page.status_code == 403
        assert b"Only accounts with staff status may" in page.content
