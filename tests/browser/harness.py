"""A real browser and its pages, for tests and for the screenshot."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.stack.running import PASSWORD

VENDOR = Path(__file__).resolve().parent / "vendor"
AXE_NAME = "axe.min.js"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # root in containers
    "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # any other host fails to resolve: nothing on our pages comes from elsewhere
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def chromium_find() -> str | None:
    """Where the browser is: $CHROME, else the usual names on PATH."""
    names = (os.environ.get("CHROME", ""), *CHROMIUM_NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """The browser, while the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page whose console is listened to."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        # refused content (the security policy) and failed requests are errors here as well
        ours = not message.location.get("url", "").endswith(AXE_NAME)
        if message.type == "error" and ours:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        """Go there by the address bar."""
        self.page.goto(f"{self.url}{path}")

    def live(self) -> None:
        """Wait for the live socket."""
        self.page.wait_for_selector("body[data-phase=live]", timeout=15_000)

    def feed(self) -> dict[str, Any]:
        """What the live feed counted so far."""
        counted: dict[str, Any] = self.page.evaluate(
            """() => {
                const { feed } = window.poolManager;
                const { lastSeq, headSeq, received, duplicates, gaps, phase } = feed;
                return { lastSeq, headSeq, received, duplicates, gaps, phase, seen: [...feed.seen] };
            }"""
        )
        return counted

    def instances(self, pool: str) -> list[dict[str, Any]]:
        """The pool's instances as the pages get them."""
        shown = self.page.request.get(f"{self.url}/fleet.json?pool={pool}").json()
        return [dict(zip(shown["fields"], row, strict=True)) for row in shown["instances"]]


def logged_in(browser: Browser, url: str) -> Any:
    """Log in by the form; returns what a new context needs to be logged in too."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return state


def context_new(browser: Browser, state: Any, **options: Any) -> BrowserContext:
    """A fresh logged-in window."""
    return browser.new_context(
        storage_state=state, viewport={"width": 1280, "height": 800}, **options
    )


def axe_script() -> str:
    """The vendored accessibility checker.

    It names itself, so that what the security policy says to its own experiments can be told from what
    it says to our pages; named by its path it would not be, where that has a space.
    """
    rows = json.loads((VENDOR / "manifest.json").read_text())
    return f"{(VENDOR / str(rows[0]['file'])).read_text()}\n//# sourceURL={AXE_NAME}\n"
