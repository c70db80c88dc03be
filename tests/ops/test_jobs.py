from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import django_rq
import pytest
from pytest_django import Settings

from pool_manager.core import clock
from pool_manager.health.models import ProbeRun
from pool_manager.journal.models import Entry, Head
from pool_manager.journal.selectors import bounds
from pool_manager.ops.jobs import PERIODIC, overrides_job
from pool_manager.ops.retention import retention_run
from pool_manager.stores.rq_jobs import enqueue_once


@pytest.mark.usefixtures("live_store_server")
def test_a_job_id_is_enqueued_once() -> None:
    queue: Any = django_rq.get_queue("act")
    queue.empty()
    job_id = f"test-{uuid.uuid4()}"
    assert enqueue_once("act", overrides_job, job_id=job_id, keep_s=60)
    assert not enqueue_once("act", overrides_job, job_id=job_id, keep_s=60)
    assert queue.job_ids == [job_id]
    queue.empty()


@pytest.mark.usefixtures("live_store_server")
@pytest.mark.parametrize("periodic", list(PERIODIC), ids=lambda periodic: str(periodic.name))
def test_two_clocks_enqueue_a_period_once(periodic: object) -> None:
    enqueue = PERIODIC[periodic]  # type: ignore[index]  # its keys are the table's
    bucket = uuid.uuid4().int
    assert enqueue(bucket=bucket, keep_s=60)
    assert not enqueue(bucket=bucket, keep_s=60)
    assert enqueue(bucket=bucket + 1, keep_s=60)


@pytest.mark.django_db
def test_retention_keeps_what_the_settings_say(settings: Settings) -> None:
    settings.JOURNAL_KEEP_DAYS, settings.JOURNAL_KEEP_ENTRIES = 10, 700
    settings.PROBE_HISTORY_KEEP_HOURS = 2
    now = clock.now()
    Entry.objects.bulk_create(
        Entry(
            seq=seq,
            at=now - dt.timedelta(days=20 if seq <= 600 else 1),
            kind="x",
            severity="info",
            message="x",
        )
        for seq in range(1, 1501)
    )
    Head.objects.update(seq=1500, oldest=1)
    ProbeRun.objects.bulk_create(
        ProbeRun(
            instance=uuid.UUID(int=hours),
            started_at=now,
            last_at=now - dt.timedelta(hours=hours),
            ok=True,
        )
        for hours in (0, 1, 3, 9)
    )
    assert retention_run() == {"journal": 800, "probe_history": 2}
    assert (bounds().oldest, Entry.objects.count(), ProbeRun.objects.count()) == (801, 700, 2)
    assert retention_run() == {"journal": 0, "probe_history": 0}
