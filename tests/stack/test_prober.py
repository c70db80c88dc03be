"""The prober while it runs: it takes over what operators change, and knows when it stood still itself."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest
import requests

from tests.stack.admin_form import AdminForm
from tests.stack.running import Feed, Story, Up

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

TAKEN_OVER_S = 2.0
INTERVAL_S = 1.0
STALL_S = 1.5
STALL_TOLD_S = 10.0
STALL_EVERY_S = 60.0  # it tells of its stalls no more often than this


def names_of(up: Up, http: requests.Session, pool: str) -> set[str]:
    return {name for name, row in up.settled(http).items() if row["pool"] == pool}


def probe_path_set(up: Up, http: requests.Session, pool: str, path: str) -> str:
    """Change the path in the pool's form in the admin; the path it had."""
    listed = http.get(f"{up.url}/admin/fleet/pool/", timeout=10).text
    link = re.search(rf'href="(/admin/fleet/pool/[^"/]+/change/)[^"]*">{pool}<', listed)
    assert link, listed
    page = up.url + link[1]
    fields = AdminForm(http.get(page, timeout=10).text, form_id="pool_form").fields
    params = json.loads(fields["probe_params"])
    was: str = params["path"]
    fields["probe_params"] = json.dumps({**params, "path": path})
    answer = http.post(
        page, data={**fields, "_save": "Save"}, headers={"Referer": page}, timeout=10
    )
    assert answer.url == f"{up.url}/admin/fleet/pool/", answer.text
    assert "was changed successfully" in answer.text
    return was


def test_a_probe_path_changed_in_the_admin_reaches_the_prober_within_two_seconds(
    demo: Up, http: requests.Session, feed: Feed
) -> None:
    voices = names_of(demo, http, "voice")
    feed.open(after=None)
    story = Story(feed)

    def told(kind: str) -> bool:
        return {e["instance"] for e in story.events if e["kind"] == kind} >= voices

    was = probe_path_set(demo, http, "voice", "/nothing-here")
    try:
        within = TAKEN_OVER_S + INTERVAL_S  # the path is used with the next probe
        began = time.monotonic()
        story.until(lambda: told("probe.failed"), seconds=within, what="every voice in doubt")
        story.until(lambda: told("instance.down"), seconds=within, what="every voice down")
        assert time.monotonic() - began < within + 0.5  # the second failed probe, and grace
    finally:
        began = time.monotonic()
        assert probe_path_set(demo, http, "voice", was) == "/nothing-here"
    story.until(lambda: told("instance.up"), seconds=within + 0.5, what="every voice up")
    changes = [event for event in story.events if event["kind"] == "pool.changed"]
    assert [(c["pool"], c["actor"], c["data"]) for c in changes] == [
        ("voice", "admin", {"fields": ["probe_params"]})
    ] * 2
    downs = [event for event in story.events if event["kind"] == "instance.down"]
    assert {event["data"]["reason"] for event in downs} == {"HTTP 404, expected 200-399"}
    assert {event["instance"] for event in downs} == voices  # and nobody of another pool


def test_a_prober_that_stood_still_says_so_and_takes_nobody_for_down(
    demo: Up, http: requests.Session, feed: Feed
) -> None:
    demo.settled(http)
    before = Story(feed)
    newest = feed.open(after=0)["seq"]
    before.until(
        lambda: before.events and before.events[-1]["seq"] >= newest, seconds=10, what="all so far"
    )
    # a busy machine may have stalled it when it started
    told = any(event["kind"] == "control.prober_stalled" for event in before.events)
    (engine,) = demo.children_named("health.engine")
    feed.open(after=newest)
    story = Story(feed)
    os.kill(engine, signal.SIGSTOP)
    try:
        story.listen(seconds=STALL_S)
    finally:
        os.kill(engine, signal.SIGCONT)
    within = STALL_TOLD_S + (STALL_EVERY_S if told else 0)
    stalled = story.event("control.prober_stalled", None, seconds=within)
    assert STALL_S * 1000 - 100 <= stalled["data"]["lag_ms"] <= STALL_S * 1000 + 1500
    kinds = {event["kind"] for event in story.events}
    assert kinds.isdisjoint({"probe.failed", "instance.down", "control.prober_lost"}), kinds
    demo.settled(http)
