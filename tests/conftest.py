"""What every test may use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from pool_manager.stores import live_store
from pool_manager.stores.embedded import server_command
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def live_store_server() -> Iterator[str]:
    """A real Valkey on the unix socket that the settings name; its URL."""
    path = Path(settings.REDIS_URL.removeprefix("unix://").partition("?")[0])
    read, write = os.pipe()
    command = server_command(socket=path, data_dir=settings.DATA_DIR, lifeline=read, leftovers=[])
    process = subprocess.Popen(command, pass_fds=[read])
    try:
        wait_until(_pings, seconds=10, what="valkey answers")
        yield settings.REDIS_URL
    finally:
        os.close(write)
        process.wait(timeout=10)
        os.close(read)


def _pings() -> bool:
    try:
        return bool(live_store.client().ping())
    except live_store.Error:
        return False
