from __future__ import annotations

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"


def test_vendored_files_are_those_of_the_manifest_with_their_licences() -> None:
    for row in json.loads((VENDOR / "manifest.json").read_text()):
        path = VENDOR / row["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert (path.parent / "LICENSE").is_file()


def test_the_vendored_checker_is_the_version_of_the_lock_file() -> None:
    root = VENDOR.parent.parent.parent
    wanted = json.loads((root / "package.json").read_text())["devDependencies"]["axe-core"]
    assert {row["version"] for row in json.loads((VENDOR / "manifest.json").read_text())} == {
        wanted
    }
