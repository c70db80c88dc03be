"""Loaded before Django's settings (`-p tests.environment`): every run has a data dir of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

# a short path: the live store's socket lies in it
_data_dir = Path(tempfile.mkdtemp(prefix="pm-tests-"))

for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FILE", "ALLOWED_HOSTS"):
    os.environ.pop(name, None)
os.environ["POOL_MANAGER_DATA_DIR"] = str(_data_dir)
os.environ["SECRET_KEY"] = "only-for-tests-" * 4


def pytest_unconfigure(config: pytest.Config) -> None:  # noqa: ARG001  # pytest's hook
    shutil.rmtree(_data_dir, ignore_errors=True)
