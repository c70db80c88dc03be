from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pool_manager.ops.data_dir import DataDirError, data_dir_open

CHECKOUT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    data_dir_open(path).close()
    assert mode(path) == 0o700


def test_a_second_one_is_told_who_is_there(tmp_path: Path) -> None:
    first = data_dir_open(tmp_path)
    with pytest.raises(DataDirError, match="is in use; stop that one"):
        data_dir_open(tmp_path)
    first.running_note("http://127.0.0.1:8000")
    with pytest.raises(
        DataDirError, match=rf"in use by process {os.getpid()} at http://127\.0\.0\.1:8000"
    ):
        data_dir_open(tmp_path)
    first.close()
    data_dir_open(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    data_dir = data_dir_open(tmp_path)
    password = data_dir.password_ensure()
    data_dir.secret_key_ensure()
    key = (tmp_path / "secret_key").read_text()
    data_dir.close()
    again = data_dir_open(tmp_path)
    again.secret_key_ensure()
    assert again.password_ensure() == password
    assert (tmp_path / "secret_key").read_text() == key
    assert len(key.strip()) >= 32
    assert {mode(tmp_path / name) for name in ("secret_key", "operator-password")} == {0o600}
    again.password_keep("given from outside")
    assert again.password_ensure() == "given from outside"
    assert mode(tmp_path / "operator-password") == 0o600
    again.close()


def test_a_file_cannot_be_a_data_directory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(DataDirError, match="cannot be made or opened"):
        data_dir_open(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[2]);"
        "from pool_manager.ops.data_dir import data_dir_open; from pathlib import Path;"
        "os.chmod(sys.argv[1], 0o555); os.chdir(sys.argv[1]); os.setuid(65534); data_dir_open(Path('.'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(CHECKOUT)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert "is not writable for user id 65534" in done.stderr
