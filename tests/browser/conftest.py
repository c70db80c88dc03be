from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.harness import Tab, axe_script, chromium, chromium_find, context_new, logged_in
from tests.stack.running import Up, up_running


@pytest.fixture(scope="session")
def chromium_path() -> str:
    if path := chromium_find():
        return path
    sentence = "no Chromium found: set $CHROME or install the package chromium to run these tests"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{sentence}; with CI=true nothing is skipped")
    pytest.skip(sentence)


# Per module: the demo's addresses exist once, and other tests run a demo of their own.
@pytest.fixture(scope="module")
def stack(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The demo fleet; killed processes come back after two seconds. Stopping it must work too."""
    del chromium_path  # without a browser nothing is started
    data_dir = tmp_path_factory.mktemp("up") / "data dir"
    with up_running(data_dir, "--demo", "--demo-respawn", "2") as up:
        up.settled(up.login())
        yield up
        assert up.stop() == 0


# Per module, not per session: while it lives, Playwright's loop counts as running in this thread,
# and tests of other modules that use asyncio or the database would fail.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as started:
        yield started


@pytest.fixture(scope="module")
def session(browser: Browser, stack: Up) -> Any:
    return logged_in(browser, stack.url)


@pytest.fixture
def tab(browser: Browser, session: Any, stack: Up) -> Iterator[Tab]:
    """A logged-in page; what its console complains about fails the test."""
    context = context_new(browser, session)
    context.add_init_script(script=axe_script())
    opened = Tab(context.new_page(), stack.url)
    yield opened
    context.close()
    assert opened.complaints == []
