from __future__ import annotations

import uuid

import pytest

from pool_manager.stores import live_store
from pool_manager.stores.leases import Lease
from tests.waiting import wait_until


@pytest.fixture
def name(live_store_server: str) -> str:
    """A lease nobody else uses."""
    del live_store_server  # wanted for being there
    return f"test-{uuid.uuid4()}"


def test_of_two_owners_one_holds(name: str) -> None:
    ada, bob = (Lease(name=name, owner=owner, ttl_ms=60_000) for owner in ("ada", "bob"))
    assert ada.renew()
    assert not bob.renew()
    assert ada.renew()
    assert (ada.held, bob.held) == (True, False)
    ada.release()
    assert not ada.held
    assert bob.renew()


def test_the_same_owner_takes_its_lease_up_again(name: str) -> None:
    assert Lease(name=name, owner="ada", ttl_ms=60_000).renew()
    assert Lease(name=name, owner="ada", ttl_ms=60_000).renew()


def test_a_lease_that_is_not_renewed_ends(name: str) -> None:
    ada = Lease(name=name, owner="ada", ttl_ms=100)
    bob = Lease(name=name, owner="bob", ttl_ms=60_000)
    assert ada.renew()
    wait_until(bob.renew, seconds=5, what="the lease ends")
    assert not ada.renew()
    assert not ada.held


def test_who_does_not_hold_it_cannot_release_it(name: str) -> None:
    ada, bob = (Lease(name=name, owner=owner, ttl_ms=60_000) for owner in ("ada", "bob"))
    ada.renew()
    bob.release()
    bob.held = True
    bob.release()
    assert live_store.client().get(ada.key) == b"ada"


def test_a_lease_ends_by_itself_in_the_store(name: str) -> None:
    lease = Lease(name=name, owner="ada", ttl_ms=60_000)
    lease.renew()
    assert 0 < int(str(live_store.client().pttl(lease.key))) <= 60_000
