from __future__ import annotations

import re

import pytest

from pool_manager.journal.kinds import KINDS, SEVERITIES, severity_rank

WORDS = {
    "probe": "failed recovered",
    "instance": (
        "registered launched in_service up degraded down restarted flapping settled ejected"
        " readmitted draining drained standby lost terminated protected unprotected"
        # the life cycle's word, and what an operator edits
        " terminating changed"
    ),
    "maintenance": "started ended",
    "outage": "started ended",
    "pool": "created changed deleted panic panic_ended scaled paused resumed",
    "host": "created changed deleted",
    "zone": "created changed deleted",
    "retry": (
        "attempt hedged exhausted unknown burst storm_started storm_ended braked released"
    ),
    "scaling": "decided blocked unblocked forecast_distrusted",
    "driver": "failed recovered",
    "refresh": "started paused finished aborted",
    "drill": "started step finished aborted",
    "problem": "opened escalated acknowledged assigned snoozed resolved",
    "silence": "started ended",
    "notify": "failed disabled",
    "access": "key_created key_revoked login_failed role_changed",
    "config": "changed",
    "operator": "noted",
    "control": (
        "started stopped prober_lost prober_stalled shard_moved store_lost store_restored behind"
        " caught_up"
    ),
}  # fmt: skip
VOCABULARY = {f"{thing}.{word}" for thing, words in WORDS.items() for word in words.split()}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_is_a_word_of_the_vocabulary(kind: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", kind)
    assert kind in VOCABULARY


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_fits_its_column_and_has_a_sentence(kind: str) -> None:
    row = KINDS[kind]
    assert len(kind) <= 40
    assert row.sentence.endswith(".")
    assert len(set(row.data)) == len(row.data)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("maintenance.started", "maintenance.ended"),
        ("probe.failed", "probe.recovered"),
        ("instance.down", "instance.up"),
        ("control.started", "control.stopped"),
    ],
)
def test_what_begins_has_its_end(begins: str, ends: str) -> None:
    assert {begins, ends} <= KINDS.keys()


def test_severities_rise_from_info_to_critical() -> None:
    assert [severity_rank(word) for word in SEVERITIES] == [0, 1, 2, 3]
    assert SEVERITIES == ("info", "notice", "warning", "critical")


def test_an_unknown_severity_has_no_rank() -> None:
    with pytest.raises(ValueError, match="fatal"):
        severity_rank("fatal")
