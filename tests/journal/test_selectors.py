from __future__ import annotations

from typing import Any

import pytest

from pool_manager.journal import services as journal
from pool_manager.journal.selectors import entries_after, entries_newest

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(db: None) -> None:
    """Six entries of two pools."""
    del db  # wanted for what it opens
    with journal.write(actor="ada") as tx:
        tx.record("pool.created", "1", pool="sms")
        tx.record("instance.registered", "2", pool="sms", instance="sms@a1:1")
        tx.record("instance.down", "3", pool="sms", instance="sms@a1:1")
        tx.record("probe.failed", "4", pool="voice", instance="voice@a1:2")
        tx.record("instance.up", "5", pool="sms", instance="sms@a1:1")
        tx.record("zone.created", "6", zone="zone-a")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({}, [6, 5, 4, 3, 2, 1], id="everything, newest first"),
        pytest.param({"limit": 2}, [6, 5], id="at most so many"),
        pytest.param({"before": 4}, [3, 2, 1], id="paging back"),
        pytest.param({"before": 4, "limit": 1}, [3], id="one page back"),
        pytest.param({"pool": "sms"}, [5, 3, 2, 1], id="one pool"),
        pytest.param({"pool": "fax"}, [], id="a pool that is not there"),
        pytest.param({"instance": "voice@a1:2"}, [4], id="one instance"),
        pytest.param({"kinds": ["instance."]}, [5, 3, 2], id="a prefix"),
        pytest.param({"kinds": ["instance.*"]}, [5, 3, 2], id="a prefix with a star"),
        pytest.param({"kinds": ["zone.created", "probe."]}, [6, 4], id="a kind or a prefix"),
        pytest.param({"kinds": ["*"]}, [6, 5, 4, 3, 2, 1], id="a star alone"),
        pytest.param({"min_severity": "critical"}, [3], id="critical alone"),
        pytest.param({"min_severity": "warning"}, [4, 3], id="warning and above"),
        pytest.param({"min_severity": "info"}, [6, 5, 4, 3, 2, 1], id="info is everything"),
        pytest.param(
            {"pool": "sms", "kinds": ["instance."], "min_severity": "notice", "before": 5},
            [3],
            id="all at once",
        ),
    ],
)
@pytest.mark.usefixtures("written")
def test_newest_entries(wanted: dict[str, Any], found: list[int]) -> None:
    rows = entries_newest(**{"limit": 10, **wanted})
    assert [row.seq for row in rows] == found


@pytest.mark.usefixtures("written")
def test_entries_after_a_number_come_in_order_and_bounded() -> None:
    assert [row.seq for row in entries_after(2, limit=3)] == [3, 4, 5]
    assert entries_after(6, limit=3) == []
