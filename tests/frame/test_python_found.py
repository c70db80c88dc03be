from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.frame.checkout import Checkout

FULL, BARE = "full", "no-venv"


@dataclass(frozen=True)
class Case:
    """Which Pythons answer what; then the one taken, or the words of the refusal."""

    name: str
    answers: dict[str, str] = field(default_factory=dict)
    asked: str = ""  # $PYTHON
    apt: bool = False
    taken: str = ""
    said: tuple[str, ...] = ()


CASES = [
    Case(
        "the newest known one",
        {"python3.11": "3 11 2 full", "python3.13": "3 13 0 full"},
        taken="python3.13",
    ),
    Case("python3 where it is new enough", {"python3": "3 11 2 full"}, taken="python3"),
    Case(
        "PYTHON before all",
        {"python3.13": "3 13 0 full", "mine": "3 11 9 full"},
        asked="mine",
        taken="mine",
    ),
    Case(
        "newer than the locks is taken and told",
        {"python3": "3 14 1 full"},
        taken="python3",
        said=("Python 3.14 is newer than the locks (3.11 to 3.13)",),
    ),
    Case(
        "a shim that runs nothing is passed over",
        {"python3.12": "", "python3.11": "3 11 2 full"},
        taken="python3.11",
    ),
    Case(
        "one with venv before a newer one without",
        {"python3.13": "3 13 0 no-venv", "python3.11": "3 11 2 full"},
        apt=True,
        taken="python3.11",
    ),
    Case("none at all", said=("3.11 or newer is needed", "no python3 on PATH", "set PYTHON")),
    Case(
        "only an old one",
        {"python3": "3 9 18 full"},
        said=("3.11 or newer is needed", "python3 is Python 3.9.18"),
    ),
    Case(
        "no ensurepip on Debian",
        {"python3": "3 11 2 no-venv"},
        apt=True,
        said=("no venv or ensurepip", "apt-get install python3.11-venv"),
    ),
    Case(
        "no ensurepip elsewhere",
        {"python3": "3 12 1 no-venv"},
        said=("no venv or ensurepip", "Python 3.12"),
    ),
    Case(
        "PYTHON is too old, whatever else there is",
        {"python3.13": "3 13 0 full", "old": "3 10 1 full"},
        asked="old",
        said=("PYTHON=old is Python 3.10.1", "unset PYTHON"),
    ),
    Case(
        "PYTHON is Python 2",
        {"old": "2 7 18 full"},
        asked="old",
        said=("PYTHON=old is Python 2.7.18",),
    ),
    Case("PYTHON is no program", asked="nowhere", said=("PYTHON=nowhere is not a program",)),
    Case(
        "PYTHON is no Python",
        {"cow": ""},
        asked="cow",
        said=("PYTHON=cow does not answer as Python 3 does",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_python_is_found_or_one_sentence_says_what_is_needed(
    case: Case, checkout: Checkout
) -> None:
    for name, answer in case.answers.items():
        checkout.says(name, answer)
    if case.apt:
        checkout.program("apt-get", "exit 1")
    run = checkout.run("requirements/python.sh", PYTHON=case.asked)
    taken = f"{checkout.bin / case.taken}\n" if case.taken else ""
    assert (run.returncode, run.stdout) == (0 if case.taken else 1, taken)
    assert all(words in run.stderr for words in case.said), run.stderr
    assert run.stderr.count("\n") == (1 if case.said else 0)


def test_sudo_is_named_for_those_who_need_it(checkout: Checkout) -> None:
    checkout.says("python3", "3 11 2 no-venv")
    checkout.program("apt-get", "exit 1")
    checkout.program("id", "echo 1000")
    assert "with: sudo apt-get install" in checkout.run("requirements/python.sh").stderr
    checkout.program("id", "echo 0")
    assert "with: apt-get install" in checkout.run("requirements/python.sh").stderr
