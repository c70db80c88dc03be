from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from pool_manager.core import clock
from pool_manager.journal.models import Entry, Head
from pool_manager.live.hub import Hub, PoolDelta
from tests.live.events_made import events_made
from tests.live.socket_client import HOST, OPERATOR, Client, connected

pytestmark = pytest.mark.django_db  # Channels closes old connections around every message


def hub_made(*, last: int = 10, held: int = 10, pools: tuple[str | None, ...] = ("sms",)) -> Hub:
    hub = Hub()
    hub.start_at(last=last, oldest=1, events=events_made(last - held + 1, last, pools=pools))
    return hub


@sync_to_async
def stored(last: int, *, oldest: int = 1) -> None:
    """A journal whose entries `oldest`..`last` are there."""
    Entry.objects.bulk_create(
        Entry(
            seq=seq, at=clock.now(), kind="instance.up", severity="notice", pool="sms", message="x"
        )
        for seq in range(oldest, last + 1)
    )
    Head.objects.filter(id=1).update(seq=last, oldest=oldest)


@pytest.mark.parametrize(
    ("origin", "user"),
    [
        pytest.param("http://evil.example", OPERATOR, id="another origin"),
        pytest.param(None, OPERATOR, id="no origin"),
        pytest.param("http://[::1", OPERATOR, id="an origin that is none"),
        pytest.param(f"http://{HOST}", SimpleNamespace(is_active=False), id="nobody logged in"),
        pytest.param(f"http://{HOST}", None, id="no user at all"),
    ],
)
async def test_who_is_refused(origin: str | None, user: object) -> None:
    client = Client(hub_made(), origin=origin, user=user)
    assert await client.connect() == "websocket.close"
    await client.leave()


async def test_a_ping_is_answered() -> None:
    async with connected(hub_made()) as client:
        await client.send({"type": "ping"})
        assert await client.take() == {"type": "pong"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ("not json", "frame"),
        ("", "frame"),
        ("[1]", "type"),
        ("7", "type"),
        ('{"type":"shout"}', "type"),
        ('{"type":["subscribe"]}', "type"),
        ('{"type":{}}', "type"),
        ('{"type":"subscribe","after":-1}', "after"),
        ('{"type":"subscribe","pools":"sms"}', "pools"),
        pytest.param('"' + "x" * 20_000 + '"', "frame", id="too long"),
        pytest.param("[" * 5000, "frame", id="too deep"),
    ],
)
async def test_a_bad_frame_is_told_and_the_socket_closed(sent: str, field: str) -> None:
    async with connected(hub_made()) as client:
        await client.send(sent)
        answer = await client.take()
        assert (answer["type"], answer["code"], list(answer["errors"])) == ("error", "invalid", [field])  # fmt: skip
        assert await client.take() == {"closed": 4400}


async def test_bytes_are_a_bad_frame() -> None:
    async with connected(hub_made()) as client:
        await client.send_bytes(b"\x00")
        assert (await client.take())["type"] == "error"
        assert await client.take() == {"closed": 4400}


async def test_from_now_on() -> None:
    hub = hub_made()
    async with connected(hub) as client:
        await client.subscribe()
        hello = await client.take()
        assert (hello["type"], hello["seq"]) == ("hello", 10)
        assert await client.silent()
        hub.events_add(events_made(11, 12))
        frame = await client.take()
        assert (frame["from"], frame["to"]) == (11, 12)


async def test_a_reader_resumes_where_it_was() -> None:
    hub = hub_made(last=3000, held=3000)
    async with connected(hub) as client:
        await client.subscribe(after=400)
        assert (await client.take())["seq"] == 3000
        assert await client.numbers(last=3000) == list(range(401, 3001))


async def test_a_filter_skips_pages_without_a_match() -> None:
    hub = hub_made(last=5000, held=5000, pools=("voice",))
    hub.events_add(events_made(5001, 5001))
    async with connected(hub) as client:
        await client.subscribe(after=0, pools=["sms"])
        frame = await client.take_until("events")
        assert (frame["from"], frame["to"]) == (1, 5001)
        assert [event["seq"] for event in frame["events"]] == [5001]


@pytest.mark.timeout(20)
async def test_an_empty_frame_keeps_a_filtered_readers_place() -> None:
    hub = hub_made()
    async with connected(hub) as client:
        await client.subscribe(pools=["fax"])
        await client.take_until("hello")
        hub.events_add(events_made(11, 20))
        assert await client.silent()
        assert await client.take(within_s=8) == {
            "type": "events",
            "from": 11,
            "to": 20,
            "events": [],
        }


async def test_a_second_subscribe_replaces_the_first() -> None:
    hub = hub_made()
    async with connected(hub) as client:
        await client.subscribe(pools=["fax"])
        await client.take_until("hello")
        await client.subscribe(after=5)
        assert (await client.take())["type"] == "hello"
        assert await client.numbers(last=10) == [6, 7, 8, 9, 10]
        assert hub.clients == 1
        hub.events_add(events_made(11, 11))
        assert (await client.take())["from"] == 11
        assert await client.silent()


async def test_state_and_status_follow_the_filter() -> None:
    hub = hub_made()
    async with connected(hub) as client:
        await client.subscribe(pools=["sms"])
        await client.take_until("hello")
        hub.state_add(as_of=7.0, pools={"voice": PoolDelta([["v", "up", None, None]])})
        hub.state_add(as_of=8.0, pools={"sms": PoolDelta([["s", "down", None, None]])})
        state = await client.take_until("state")
        assert (state["as_of"], state["instances"]) == (8.0, [["s", "down", None, None]])
        hub.store_lost("database")
        assert (await client.take_until("status"))["degraded"] == ["database"]


async def test_who_comes_during_an_outage_is_told() -> None:
    hub = hub_made()
    hub.store_lost("live_store")
    async with connected(hub) as client:
        await client.subscribe()
        assert (await client.take_until("status"))["degraded"] == ["live_store"]


@pytest.mark.django_db(transaction=True)
async def test_what_the_ring_lost_comes_from_the_table() -> None:
    await stored(2500)
    hub = hub_made(last=2500, held=100)
    async with connected(hub) as client:
        await client.subscribe(after=10)
        await client.take_until("hello")
        assert await client.numbers(last=2500) == list(range(11, 2501))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("after", "old"), [(0, True), (48, True), (49, False)])
async def test_a_place_that_is_gone_is_too_old(after: int, old: bool) -> None:
    await stored(100, oldest=50)
    hub = hub_made(last=100, held=5)
    async with connected(hub) as client:
        await client.subscribe(after=after)
        assert (await client.take())["type"] == "hello"
        frame = await client.take()
        if old:
            assert frame == {"type": "too_old", "oldest": 50}
            hub.events_add(events_made(101, 101))
            assert (await client.take())["from"] == 101
        else:
            assert (frame["type"], frame["from"]) == ("events", 50)


@pytest.mark.django_db(transaction=True)
async def test_a_reader_ahead_of_the_tailer_sees_nothing_twice() -> None:
    await stored(13)
    hub = hub_made(last=10)
    async with connected(hub) as client:
        await client.subscribe(after=12)
        assert (await client.take())["seq"] == 10
        hub.events_add(events_made(11, 12))
        assert await client.silent()
        hub.events_add(events_made(13, 14))
        frame = await client.take()
        assert (frame["from"], [event["seq"] for event in frame["events"]]) == (13, [13, 14])


@pytest.mark.django_db(transaction=True)
async def test_a_place_that_never_was_means_from_now_on() -> None:
    await stored(10)
    hub = hub_made(last=10)
    async with connected(hub) as client:
        await client.subscribe(after=10_000)
        assert (await client.take())["seq"] == 10
        hub.events_add(events_made(11, 11))
        assert (await client.take())["from"] == 11


async def _renamed(old: str, new: str) -> None:
    from django.db import connection

    def rename() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    await sync_to_async(rename)()


@pytest.mark.django_db(transaction=True)
async def test_a_reader_whose_place_cannot_be_read_is_closed_and_may_resume() -> None:
    hub = hub_made(last=100, held=5)
    await _renamed("journal_head", "journal_head_away")
    try:
        client = Client(hub, origin=f"http://{HOST}", user=OPERATOR)
        await client.connect()
        await client.subscribe(after=3)
        assert (await client.take())["type"] == "hello"
        told: dict[str, Any] = await client.take()
        assert "closed" in told
        await client.leave()
    finally:
        await _renamed("journal_head_away", "journal_head")
