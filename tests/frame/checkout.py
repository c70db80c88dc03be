"""A checkout that holds only the set-up scripts, and a PATH that holds only what a test puts there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ("sh", "cat", "cksum", "cut", "dirname", "grep", "id", "mkdir", "mktemp", "mv", "rm")

# what a venv's pip does here: notes its arguments, and fails on demand
PIP = """
import os, sys
with open(os.environ["PIP_NOTES"], "a") as notes:
    print(*sys.argv[1:], file=notes)
sys.exit(int(os.environ.get("PIP_STATUS", "0")))
"""

# the Python of these tests, whose venvs get the pip above and so need no network
PYTHON = """
if [ "$1 $2" = "-m venv" ]; then
    "{real}" -m venv --without-pip "$3" || exit 1
    for site in "$3"/lib/python*/site-packages; do
        mkdir "$site/pip" && cat "{pip}" >"$site/pip/__main__.py" && : >"$site/pip/__init__.py"
    done
    exit 0
fi
exec "{real}" "$@"
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Invariant: nothing on `bin` but `TOOLS` and what `program` added."""

    path: Path
    bin: Path

    def program(self, name: str, script: str) -> Path:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def python(self, name: str) -> Path:
        """One that works, with a pip that needs no network."""
        pip = self.bin.parent / "pip.py"
        pip.write_text(PIP)
        real = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
        return self.program(name, PYTHON.format(real=real, pip=pip))

    def says(self, name: str, answer: str) -> Path:
        """A Python that answers what it is, and is good for nothing else."""
        return self.program(name, f"echo {answer}")

    def run(self, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / "sh", script, *arguments],
            cwd=self.path,
            env={
                "PATH": str(self.bin),
                "APPLICATIONS": str(self.bin),
                "PIP_NOTES": str(self.pip_notes),
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @property
    def pip_notes(self) -> Path:
        return self.bin.parent / "pip-notes"

    def pip_runs(self) -> list[str]:
        return self.pip_notes.read_text().splitlines() if self.pip_notes.exists() else []


def checkout_make(directory: Path) -> Checkout:
    """Under a path with spaces, as a home directory may be."""
    made = Checkout(path=directory / "a check out", bin=directory / "some bin")
    (made.path / "requirements").mkdir(parents=True)
    made.bin.mkdir()
    for script in (ROOT / "requirements").glob("*.sh"):
        shutil.copy(script, made.path / "requirements")
    for lock in ("base", "prod", "dev"):
        (made.path / "requirements" / f"{lock}.txt").write_text(f"# {lock}\n")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is wanted by the set-up scripts"
        (made.bin / tool).symlink_to(found)
    return made
