from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.browser.harness import Tab

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(180)]

AXE = """async () => {
    await Promise.all(document.getAnimations().map((one) => one.finished));
    const found = await axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
}"""

# An example of each page: its address, or the list whose first row leads to it and what follows.
PAGES: dict[str, str | tuple[str, str]] = {
    "overview": "/",
    "pools": "/pools/",
    "pool_new": "/pools/new/",
    "pool": "/pools/recording/",
    "events": "/events/",
    "demo_remove": "/demo/remove/",
    "admin:index": "/admin/",
    "admin:app_list": "/admin/fleet/",
    "admin:password_change": "/admin/password_change/",
    "admin:password_change_done": "/admin/password_change/done/",
    "admin:auth_user_password_change": ("/admin/auth/user/", "../password/"),
    "admin:django_rq_home": "/admin/django_rq/dashboard/",
}
for model in ("fleet/zone", "fleet/host", "fleet/pool", "fleet/instance", "auth/user"):
    name = model.replace("/", "_")
    PAGES |= {
        f"admin:{name}_changelist": f"/admin/{model}/",
        f"admin:{name}_add": f"/admin/{model}/add/",
        f"admin:{name}_change": (f"/admin/{model}/", ""),
        f"admin:{name}_delete": (f"/admin/{model}/", "../delete/"),
        f"admin:{name}_history": (f"/admin/{model}/", "../history/"),
    }
# there is no group to change before somebody makes one
PAGES |= {
    "admin:auth_group_changelist": "/admin/auth/group/",
    "admin:auth_group_add": "/admin/auth/group/add/",
}

NOT_PAGES = {
    "fleet_json": "JSON",
    "metrics": "text for Prometheus",
    "logout": "POST only",
    "login": "a test of its own, without a login",
    "admin:login": "the login page",
    "admin:logout": "POST only",
    "admin:autocomplete": "JSON",
    "admin:jsi18n": "a script",
    "admin:view_on_site": "a redirect",
    "admin:auth_group_change": "as adding a group",
    "admin:auth_group_delete": "as deleting a user",
    "admin:auth_group_history": "as the history of a user",
}
# pages of the queue library: the one that operators reach from the admin's index stands for them
OTHERS = "admin:django_rq_"


def url_names() -> Iterator[str]:
    return _names(get_resolver().url_patterns, "")


def _names(patterns: list[URLPattern | URLResolver], space: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            yield from _names(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{space}{pattern.name}"


def test_every_page_of_the_url_table_is_looked_at() -> None:
    missing = {
        name
        for name in url_names()
        if name not in PAGES and name not in NOT_PAGES and not name.startswith(OTHERS)
    }
    assert missing == set(), "give each an example in PAGES"
    assert set(PAGES) <= set(url_names())


def go(tab: Tab, where: str | tuple[str, str]) -> None:
    if isinstance(where, str):
        tab.open(where)
        return
    listed, then = where
    tab.open(listed)
    first = tab.page.locator("#result_list tbody th a").first
    tab.open(urljoin(first.get_attribute("href") or "", then))


def faults(tab: Tab, scheme: Any) -> list[Any]:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found: list[Any] = tab.page.evaluate(AXE)
    return [(scheme, *fault) for fault in found]


def judge(tab: Tab) -> None:
    assert faults(tab, "light") + faults(tab, "dark") == []
    tab.page.set_viewport_size({"width": 360, "height": 780})
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_clean_for_assistive_technology_in_both_schemes_and_on_a_phone(
    tab: Tab, name: str
) -> None:
    go(tab, PAGES[name])
    judge(tab)


def test_the_login_page_is_clean_too(tab: Tab) -> None:
    tab.page.context.clear_cookies()
    tab.open("/login/")
    judge(tab)
    tab.page.get_by_label("User").fill("admin")
    tab.page.get_by_label("Password").fill("wrong")
    tab.page.get_by_role("button", name="Log in").click()
    tab.page.get_by_role("alert").wait_for()
    assert faults(tab, "dark") == []
    # the browser notes every answer of 400 and above
    assert all("422" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


def test_a_pool_is_probed_and_saved_by_hand(tab: Tab) -> None:
    tab.open("/pools/new/")
    tab.page.get_by_label("Name", exact=True).fill("by-hand")
    tab.page.get_by_label("Instances").fill("127.1.0.1:9001\n127.1.0.1:1")
    tab.page.get_by_role("button", name="Probe first").click()
    tab.page.get_by_text("1 of 2 answer", exact=True).wait_for()
    judge(tab)
    tab.page.get_by_role("button", name="Save pool with 2 instances").click()
    tab.page.wait_for_url("**/pools/by-hand/")
    tab.page.wait_for_selector('tr[data-instance$=":9001"][data-state=up]')
