from __future__ import annotations

from django.test import Client

from pool_manager.fleet.models import Instance, Pool
from tests.dashboard.pools_made import pool_make


def test_the_page_says_how_many_will_go(client: Client) -> None:
    pool_make(demo=True, instances=3)
    page = client.get("/demo/remove/")
    assert b"Remove 3 instances" in page.content
    assert Instance.objects.count() == 3


def test_only_the_demo_goes(client: Client) -> None:
    pool_make(demo=True)
    pool_make("mine", instances=1)
    page = client.post("/demo/remove/")
    assert page["Location"] == "/"
    assert [pool.slug for pool in Pool.objects.all()] == ["mine"]


def test_without_a_demo_there_is_nothing_to_remove(client: Client) -> None:
    pool_make()
    assert b"There is no demo fleet here" in client.get("/demo/remove/").content
