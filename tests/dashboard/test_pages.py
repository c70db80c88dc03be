from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.snapshot import FIELDS, POOL_FIELDS
from pool_manager.fleet import services as fleet
from pool_manager.fleet.models import Dependency, Instance, Pool
from pool_manager.health.selectors import probes_key
from pool_manager.journal import services as journal
from pool_manager.journal.selectors import bounds
from pool_manager.stores import live_store
from tests.dashboard.pools_made import pool_make

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_store_server"),
]

PAGES = ["/", "/pools/", "/pools/recording/", "/events/"]


def journal_seq() -> int:
    return bounds().seq


def probed(one: Instance, *, failing: int, reason: str, at: float) -> None:
    """What the prober would have written to the live store."""
    row = [failing, 3, reason, 1.5, None, True, at, "..x", [[2, reason]]]
    text = json.dumps({str(one.pk): row})
    live_store.client().set(probes_key(one.pool.slug), text, ex=60)


def rows(client: Client, path: str = "/fleet.json") -> list[dict[str, Any]]:
    body = client.get(path).json()
    return [dict(zip(body["fields"], row, strict=True)) for row in body["instances"]]


def embedded(page: str, block: str) -> Any:
    text = page.partition(f'id="{block}" type="application/json">')[2].partition("</script>")[0]
    return json.loads(text)


@pytest.mark.parametrize("path", [*PAGES, "/fleet.json"])
def test_nobody_sees_a_page_without_login(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_writes_nothing(client: Client, path: str) -> None:
    pool_make()
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_script_or_style(client: Client, path: str) -> None:
    pool_make()
    page = client.get(path).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script id=") + page.count('<script type="module"')


@pytest.mark.parametrize("path", [*PAGES, "/fleet.json"])
def test_the_number_of_statements_does_not_grow_with_the_fleet(client: Client, path: str) -> None:
    pool_make(instances=2)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for number in range(3):
        pool_make(f"other-{number}", instances=20)
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(few)


def test_the_state_is_embedded_with_the_number_read_before_it(client: Client) -> None:
    pool_make()
    shown = embedded(client.get("/").content.decode(), "snapshot")
    assert shown["seq"] == journal_seq()
    assert shown["fields"] == list(FIELDS)
    assert [row[FIELDS.index("name")] for row in shown["instances"]] == [
        "recording@127.1.0.1:9000",
        "recording@127.1.0.2:9001",
    ]


def test_the_tail_begins_with_what_is_not_younger_than_the_state(client: Client) -> None:
    pool_make()
    page = client.get("/").content.decode()
    tail = embedded(page, "tail-events")
    assert tail[0]["seq"] == embedded(page, "snapshot")["seq"]
    assert [event["seq"] for event in tail] == sorted((e["seq"] for e in tail), reverse=True)


@pytest.mark.parametrize("path", ["/", "/pools/recording/"])
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=pool.", {"pool.created"}),
        ("severity=critical", {"instance.down"}),
        ("kind=instance.&severity=critical", {"instance.down"}),
        ("kind=host.&severity=critical", set()),
    ],
)
def test_the_tail_begins_filtered_by_the_url(
    client: Client, path: str, query: str, shown: set[str]
) -> None:
    pool_make()
    # so many that what is asked for would not be among the newest of all
    events_made(2)
    with journal.write(actor="test") as tx:
        for _ in range(120):
            tx.record("instance.up", "later", pool="recording")
    tail = embedded(client.get(f"{path}?{query}").content.decode(), "tail-events")
    assert {event["kind"] for event in tail} == shown


def test_the_overviews_tail_begins_with_the_pool_of_the_url(client: Client) -> None:
    pool_make()
    pool_make("sms")
    tail = embedded(client.get("/?pool=recording").content.decode(), "tail-events")
    assert {event["pool"] for event in tail} == {"recording"}


@pytest.mark.parametrize("path", ["/", "/pools/recording/", "/events/"])
def test_a_severity_that_is_none_is_told(client: Client, path: str) -> None:
    pool_make()
    answer = client.get(f"{path}?severity=loud")
    assert answer.status_code == 400
    assert "severity 'loud' is not one of info, notice" in answer.content.decode()


def test_fleet_json_is_never_kept_by_a_cache(client: Client) -> None:
    assert client.get("/fleet.json").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scope", ["zone", "host", "pool", "instance"])
def test_an_override_counts_for_what_it_covers(client: Client, scope: str) -> None:
    pool_make()
    one = Instance.objects.select_related("host__zone", "pool").get(port=9000)
    names = {"zone": one.host.zone.name, "host": one.host.name, "pool": one.pool.slug}
    fleet.override_set(
        scope=scope,
        key=names.get(scope, one.name),
        override="maintenance",
        reason="disk",
        until=None,
        actor="ada",
    )
    assert rows(client)[0]["override"] == "maintenance"


def test_a_terminated_instance_is_not_shown(client: Client) -> None:
    pool_make()
    Instance.objects.filter(port=9000).update(life="terminated")
    assert [row["port"] for row in rows(client)] == [9001]


def test_a_pools_own_state_has_build_pid_and_strip(client: Client) -> None:
    pool_make()
    pool_make("sms")
    Instance.objects.filter(pool__slug="recording", port=9000).update(
        build="1.4.2", metadata={"pid": 4711}
    )
    first = rows(client, "/fleet.json?pool=recording")[0]
    assert set(first) == set(POOL_FIELDS)
    assert (first["pool"], first["build"], first["pid"]) == ("recording", "1.4.2", 4711)
    assert {row["pool"] for row in rows(client, "/fleet.json?pool=recording")} == {"recording"}


def test_the_probe_state_of_the_live_store_is_shown(client: Client) -> None:
    pool_make()
    one = Instance.objects.get(port=9000)
    Instance.objects.filter(pk=one.pk).update(health="up")
    probed(one, failing=1, reason="connection refused", at=time.time() + 1)
    row = rows(client)[0]
    assert (row["failing"], row["of"], row["reason"]) == (1, 3, "connection refused")
    assert rows(client, "/fleet.json?pool=recording")[0]["strip"] == "..x"


@pytest.mark.parametrize(
    ("health", "late_s"), [("down", 1), ("up", -3600)], ids=["down already", "verdict is younger"]
)
def test_no_doubt_is_shown_beside_a_verdict(client: Client, health: str, late_s: float) -> None:
    pool_make()
    one = Instance.objects.get(port=9000)
    Instance.objects.filter(pk=one.pk).update(health=health, health_reason="timeout")
    probed(one, failing=53, reason="connection refused", at=time.time() + late_s)
    row = rows(client)[0]
    assert (row["failing"], row["reason"]) == (0, "timeout")


def test_an_empty_fleet_says_how_to_begin(client: Client) -> None:
    for path in ("/", "/pools/"):
        assert 'href="/pools/new/"' in client.get(path).content.decode()


def test_the_demo_banner_is_there_while_a_demo_pool_is(client: Client) -> None:
    assert "demo fleet" not in client.get("/").content.decode()
    pool_make(demo=True)
    assert "remove the demo" in client.get("/").content.decode()


def test_a_pool_says_its_probe_and_who_calls_it(client: Client) -> None:
    pool_make()
    pool_make("sms")
    Dependency.objects.create(
        caller=Pool.objects.get(slug="sms"),
        callee=Pool.objects.get(slug="recording"),
        tolerance_ms=1500,
    )
    page = client.get("/pools/recording/").content.decode()
    assert "HTTP GET /healthz" in page
    assert "after 3 failed probes in a row" in page
    assert "which gives up after 1500 ms" in page
    assert "0 of 2 instances up, 2 unknown." in page


def test_the_overview_knows_who_calls_a_pool(client: Client) -> None:
    pool_make()
    pool_make("sms")
    Dependency.objects.create(
        caller=Pool.objects.get(slug="sms"), callee=Pool.objects.get(slug="recording")
    )
    page = client.get("/").content.decode()
    assert embedded(page, "page-data") == {"callers": {"recording": ["sms"]}}


def test_an_unknown_pool_is_not_found(client: Client) -> None:
    assert client.get("/pools/nothing/").status_code == 404


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("demo", [True, False], ids=["demo", "no demo"])
def test_a_stranger_is_not_offered_what_would_be_refused(
    stranger: User, path: str, demo: bool
) -> None:
    pool_make(demo=demo)
    browser = Client()
    browser.force_login(stranger)
    page = browser.get(path).content.decode()
    for refused in ("/admin/", "/pools/new/", "/demo/remove/"):
        assert refused not in page


def test_a_stranger_reads_who_adds_the_first_pool(stranger: User) -> None:
    browser = Client()
    browser.force_login(stranger)
    for path in ("/", "/pools/"):
        page = browser.get(path).content.decode()
        assert "/pools/new/" not in page
        assert "Accounts with staff status can add" in page


def events_made(count: int) -> None:
    with journal.write(actor="test") as tx:
        for number in range(count):
            kind = "instance.down" if number % 2 else "instance.up"
            tx.record(kind, f"event {number}", pool="recording")


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("", "event 0", "nothing hidden"),
        ("?kind=instance.&pool=recording", "event 0", "nothing hidden"),
        ("?severity=critical", "event 1", "event 0"),
        ("?pool=sms", "No event matches", "event 0"),
        ("?kind=pool.", "No event matches", "event 0"),
    ],
)
def test_events_are_filtered_by_the_url(
    client: Client, query: str, shown: str, hidden: str
) -> None:
    events_made(4)
    page = client.get(f"/events/{query}").content.decode()
    assert shown in page
    assert hidden not in page


def test_older_events_are_a_page_away_with_the_filter_kept(client: Client) -> None:
    events_made(250)
    page = client.get("/events/?kind=instance.").content.decode()
    oldest_shown = journal_seq() - 199
    assert f"?kind=instance.&amp;before={oldest_shown}" in page
    older = client.get(f"/events/?kind=instance.&before={oldest_shown}").content.decode()
    assert "event 49<" in older
    assert "event 50<" not in older


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 30, "severity=loud"])
def test_a_wrong_filter_is_told(client: Client, query: str) -> None:
    answer = client.get(f"/events/?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.content.decode()
