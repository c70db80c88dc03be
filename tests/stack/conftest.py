from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.stack.running import Feed, Up, up_running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The demo fleet under `up`; killed processes come back after half a second."""
    data_dir = tmp_path_factory.mktemp("up") / "data dir"
    with up_running(data_dir, "--demo", "--demo-respawn", "0.5") as up:
        yield up


@pytest.fixture(scope="module")
def http(demo: Up) -> requests.Session:
    return demo.login()


@pytest.fixture
def feed(demo: Up, http: requests.Session) -> Iterator[Feed]:
    opened = Feed(demo, http)
    yield opened
    opened.close()
