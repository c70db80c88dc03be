from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pool_manager.ops.data_dir import data_dir_open
from pool_manager.ops.listener import listener_open

pytestmark = pytest.mark.stack

CHECKOUT = Path(__file__).resolve().parents[2]
HOST = "127.77.0.2"


def up(data_dir: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    """The exit status and what was said of an `up` that cannot start."""
    done = subprocess.run(
        [sys.executable, "manage.py", "up", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "POOL_MANAGER_DATA_DIR": str(data_dir), **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with listener_open(HOST, 45873):
        status, said = up(tmp_path, "--host", HOST, "--port", "45873")
    assert status == 2
    assert f"port 45873 on {HOST} is taken; choose another with --port" in said


def test_a_data_directory_that_is_in_use(tmp_path: Path) -> None:
    other = data_dir_open(tmp_path)
    other.running_note("http://127.0.0.1:8123")
    status, said = up(tmp_path)
    other.close()
    assert status == 2
    assert f"in use by process {os.getpid()} at http://127.0.0.1:8123" in said


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"REDIS_URL": "http://store"}, "REDIS_URL: it starts with 'http'"),
        ({"REDIS_URL": "redis://localhost:port"}, "REDIS_URL: "),
        ({"DATABASE_URL": "postgres://localhost:port/pm"}, "DATABASE_URL: "),
        ({"POOL_MANAGER_PROBE_ALLOW": "everything"}, "POOL_MANAGER_PROBE_ALLOW: 'everything'"),
    ],
    ids=str,
)
def test_a_wrong_environment_is_told_before_anything_starts(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    status, said = up(tmp_path, **environ)
    assert status == 2
    assert sentence in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--port", "70000"], ["--port", "x"], ["--web", "0"], ["--demo-respawn", "soon"]],
    ids=str,
)
def test_wrong_options(tmp_path: Path, arguments: list[str]) -> None:
    status, said = up(tmp_path, *arguments)
    assert status == 2
    assert arguments[0] in said


def test_what_the_database_url_says_beside_the_address_is_kept() -> None:
    program = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS']['sslmode'])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=20, check=True,
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "pool_manager.settings",
            "DATABASE_URL": "postgres://db.example/pm?sslmode=verify-full",
        },
    )  # fmt: skip
    assert done.stdout.strip() == "verify-full"
