"""Draws docs/overview.png from the running demo: `python -m tests.browser.screenshot`.

A recording process is killed first, so that the picture shows what the page is for.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.browser.harness import Tab, chromium, chromium_find, context_new, logged_in
from tests.stack.running import CHECKOUT, up_running
from tests.waiting import wait_until

PICTURE = CHECKOUT / "docs" / "overview.png"
ALL_UP = "document.querySelector('.count[data-state=up] .count-number').textContent === '36'"


def main() -> int:
    """Start, break, photograph."""
    executable = chromium_find()
    if executable is None:
        sys.stderr.write("no Chromium found: set $CHROME or install the package chromium\n")
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="pm-shot-") as made,
        up_running(Path(made) / "data", "--demo", "--demo-respawn", "never") as up,
        chromium(executable) as browser,
    ):
        context = context_new(browser, logged_in(browser, up.url), device_scale_factor=2)
        tab = Tab(context.new_page(), up.url)
        tab.open("/")
        tab.live()
        wait_until(lambda: bool(tab.page.evaluate(ALL_UP)), seconds=60, what="the demo is up")
        victim = next(one for one in tab.instances("recording") if one["pid"])
        os.kill(int(victim["pid"]), signal.SIGKILL)
        tab.page.wait_for_selector("tr[data-state=down]")
        tab.page.wait_for_timeout(1_000)  # the glow of the changed cell fades
        tab.page.screenshot(path=PICTURE)
        context.close()
    sys.stdout.write(f"{PICTURE.relative_to(CHECKOUT)} drawn\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
