from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.cut_proxy import CutProxy
from tests.browser.harness import Tab, context_new
from tests.stack.running import Up
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(180)]

STATES_JS = """() => {
    const shown = {};
    for (const count of document.querySelectorAll(".count")) {
        const number = Number(count.querySelector(".count-number").textContent);
        if (number) shown[count.dataset.state] = number;
    }
    const rows = {};
    for (const { dataset } of document.querySelectorAll("#fleet-table tbody tr")) {
        rows[dataset.state] = (rows[dataset.state] ?? 0) + 1;
    }
    return [shown, rows];
}"""


def all_up(tab: Tab) -> bool:
    shown, rows = tab.page.evaluate(STATES_JS)
    return bool(shown and set(shown) == {"up"} and shown == rows)


def settle(tab: Tab) -> None:
    """Wait until what other tests killed is back."""
    tab.live()
    wait_until(
        lambda: all_up(tab), seconds=40, what="every instance is up, and counts and table agree"
    )


def kill_one(tab: Tab, index: int = 0) -> str:
    """kill -9 a recording process; its name."""
    living = [one for one in tab.instances("recording") if one["pid"] and one["health"] == "up"]
    victim = living[index]
    os.kill(int(victim["pid"]), signal.SIGKILL)
    return str(victim["name"])


def ahead(one: Tab, other: Tab) -> bool:
    return bool(one.feed()["lastSeq"] > other.feed()["lastSeq"])


def test_a_killed_process_shows_without_a_reload(tab: Tab) -> None:
    tab.open("/")
    settle(tab)
    tab.page.evaluate("window.notReloaded = true")
    before = tab.page.evaluate("document.querySelector('#grid').toDataURL()")
    name = kill_one(tab)

    row = tab.page.locator(f'tr[data-instance="{name}"]')
    tab.page.wait_for_selector(f'tr[data-instance="{name}"][data-state=down]', timeout=5_000)
    assert "down" in row.inner_text()
    event = tab.page.locator(".tail-row", has_text=name).filter(has_text="instance.down")
    event.first.wait_for(timeout=5_000)
    shown, rows = tab.page.evaluate(STATES_JS)
    assert shown == rows
    assert shown["down"] == 1
    assert tab.page.evaluate("document.querySelector('#grid').toDataURL()") != before
    tab.page.locator("#grid").focus()
    tab.page.keyboard.press("n")
    assert name in tab.page.locator("#grid-line").inner_text()
    assert name.partition("@")[0] in tab.page.locator("#problems").inner_text()

    settle(tab)
    tab.page.locator(".tail-row", has_text=name).filter(has_text="instance.up").first.wait_for()
    assert tab.page.evaluate("window.notReloaded")


def pid_shown(tab: Tab, name: str) -> str:
    at = (
        "[...document.querySelectorAll('#pool-table th')].findIndex(th => th.textContent === 'Pid')"
    )
    return str(
        tab.page.evaluate(
            f"(name) => document.getElementById(name).children[{at}].textContent", name
        )
    )


def test_a_pool_page_shows_the_probes_and_the_new_process_without_a_reload(tab: Tab) -> None:
    tab.open("/")
    settle(tab)
    tab.open("/pools/recording/")
    tab.live()
    tab.page.evaluate("window.notReloaded = true")
    # an answer without content: new cells can come by the socket only
    tab.page.route("**/fleet.json*", lambda route: route.fulfill(status=204))
    name = kill_one(tab)
    killed = pid_shown(tab, name)
    newest = f'tr[data-instance="{name}"] .strip-%s[d*="M177 "]'
    tab.page.wait_for_selector(newest % "failed", state="attached", timeout=5_000)
    tab.page.wait_for_selector(newest % "ok", state="attached", timeout=15_000)
    tab.page.unroute("**/fleet.json*")
    wait_until(
        lambda: pid_shown(tab, name) not in ("", killed), seconds=15, what="the new pid is shown"
    )
    known = {one["name"]: one["pid"] for one in tab.instances("recording")}
    assert pid_shown(tab, name) == str(known[name])
    assert tab.page.evaluate("window.notReloaded")


def test_a_filter_without_a_match_says_so(tab: Tab) -> None:
    tab.open("/")
    tab.live()
    none = tab.page.get_by_text("No instance matches")
    assert none.is_hidden()
    tab.page.get_by_label("Filter instances").fill("no such host")
    none.wait_for()
    tab.page.get_by_role("link", name="Show all instances").click()
    tab.page.wait_for_url("**/?")
    none.wait_for(state="hidden")
    tab.page.locator("#fleet-table tbody tr").first.wait_for()


def test_another_filter_of_the_tail_shows_what_the_first_left_out(tab: Tab) -> None:
    tab.open("/?kind=access.")
    tab.live()
    tab.page.get_by_label("Kind").select_option("pool.")
    tab.page.locator(".tail-row", has_text="pool.created").first.wait_for()


def test_the_page_says_how_old_the_probe_state_is(tab: Tab, stack: Up) -> None:
    tab.open("/")
    settle(tab)
    indicator = tab.page.locator("#indicator")
    banner = tab.page.locator("#banner-prober")
    assert banner.is_hidden()
    probers = stack.children_named("manage.py prober")
    assert probers
    for pid in probers:
        os.kill(pid, signal.SIGSTOP)
    try:
        indicator.filter(has_text=re.compile(r"◐ data \d+ s old")).wait_for(timeout=8_000)
        banner.filter(has_text="No prober has reported since").wait_for(timeout=8_000)
        assert tab.feed()["phase"] == "live"
    finally:
        for pid in probers:
            os.kill(pid, signal.SIGCONT)
    indicator.filter(has_text="● live").wait_for(timeout=15_000)
    banner.wait_for(state="hidden", timeout=15_000)
    settle(tab)


def test_every_number_arrives_exactly_once_over_cuts(
    browser: Browser, session: Any, stack: Up
) -> None:
    with CutProxy(int(stack.url.rpartition(":")[2])) as proxy:
        context = context_new(browser, session)
        # refused connections are what this test makes: its console is not judged
        tab = Tab(context.new_page(), f"http://127.0.0.1:{proxy.port}")
        direct = Tab(context.new_page(), stack.url)
        direct.open("/")
        tab.open("/")
        settle(tab)
        first = tab.page.evaluate("JSON.parse(document.querySelector('#snapshot').textContent).seq")
        for turn in range(3):
            proxy.cut()
            wait_until(lambda: tab.feed()["phase"] != "live", seconds=15, what="the page notices")
            kill_one(direct, turn)
            wait_until(lambda: ahead(direct, tab), seconds=10, what="events happen")
            proxy.restore()
            tab.live()
        settle(tab)
        settle(direct)
        last = direct.feed()["lastSeq"]
        wait_until(lambda: tab.feed()["lastSeq"] >= last, seconds=10, what="the page has caught up")

        feed = tab.feed()
        assert feed["seen"] == list(range(first + 1, feed["lastSeq"] + 1))
        assert feed["received"] == len(feed["seen"])
        rows = tab.page.eval_on_selector_all(
            ".tail-row", "rows => rows.map(row => Number(row.dataset.seq))"
        )
        assert len(set(rows)) == len(rows)
        assert rows == sorted(rows, reverse=True)
        context.close()
