"""The locks agree with what asks for them: `python -m tests.frame.locks`. Needs no network."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ("base", "prod", "dev")  # each holds the ones before it

_ASKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>\S+)", re.MULTILINE)
_LOCKED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<rest>.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL
)


def faults(directory: Path) -> Iterator[str]:
    """A sentence for each disagreement."""
    below: dict[str, str] = {}
    for name in LOCKS:
        lock = (directory / f"{name}.txt").read_text(encoding="utf-8")
        pins = _pins(_LOCKED, lock)
        for package, version in _pins(_ASKED, _asked(directory, name)).items():
            if pins.get(package) != version:
                yield _differs(name, f"{name}.in", package, version, pins)
        for package, version in below.items():
            if pins.get(package) != version:
                yield _differs(name, "the lock below it", package, version, pins)
        for match in _LOCKED.finditer(lock):
            if "--hash=sha256:" not in match["rest"]:
                yield f"{name}.txt: {match['name']} has no hash; run make lock"
        below = pins


def unreasoned(directory: Path) -> Iterator[str]:
    """Lines of the .in files that ask for a package and give no reason."""
    for name in LOCKS:
        for line in _asked(directory, name).splitlines():
            asked = line.strip()
            if (
                asked
                and not asked.startswith(("#", "-r "))
                and not line.partition(" # ")[2].strip()
            ):
                yield f"{name}.in: {asked}: say in a comment what it is for"


def _asked(directory: Path, name: str) -> str:
    return (directory / f"{name}.in").read_text(encoding="utf-8")


def _pins(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    return {
        re.sub(r"[-_.]+", "-", match["name"]).lower(): match["version"]
        for match in pattern.finditer(text)
    }


def _differs(lock: str, by: str, package: str, version: str, pins: dict[str, str]) -> str:
    has = pins.get(package, "no version of it")
    return f"{lock}.txt has {has}, {by} asks for {package}=={version}; run make lock"


if __name__ == "__main__":
    found = [*faults(ROOT / "requirements"), *unreasoned(ROOT / "requirements")]
    sys.stderr.writelines(f"{sentence}\n" for sentence in found)
    sys.exit(1 if found else 0)
