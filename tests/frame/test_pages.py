from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from pool_manager.journal.kinds import KINDS
from pool_manager.ops.management.commands.events_doc import events_page
from tests.frame import links, locks
from tests.frame.checkout import ROOT

REQUIREMENTS = ROOT / "requirements"


def test_every_link_in_the_pages_leads_somewhere() -> None:
    assert list(links.dead_links(ROOT)) == []


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "a b.md").write_text("# Some words\n")
    (tmp_path / "page.md").write_text(
        "[file](gone.md) [space](<a%20b.md>) [mark](a%20b.md#some-words) [no mark](a%20b.md#other)\n"
        "[web](https://example.org) `[code](nowhere.md)` ![picture](no.png)\n"
    )
    assert list(links.dead_links(tmp_path)) == [
        "page.md: gone.md leads nowhere",
        "page.md: a%20b.md#other leads nowhere",
        "page.md: no.png leads nowhere",
    ]


def test_the_events_page_is_what_the_table_of_kinds_says() -> None:
    call_command("events_doc", "--check")
    assert all(f"| `{kind}` |" in events_page() for kind in KINDS)


def test_an_events_page_that_is_not_current_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "events.md"
    with pytest.raises(SystemExit, match="1"):
        call_command("events_doc", "--check", file=page)
    call_command("events_doc", file=page)
    call_command("events_doc", "--check", file=page)


def test_locks_hold_what_is_asked_for_with_a_hash_for_every_line() -> None:
    assert list(locks.faults(REQUIREMENTS)) == []


def test_every_requirement_says_what_it_is_for() -> None:
    assert list(locks.unreasoned(REQUIREMENTS)) == []


def test_locks_that_disagree_are_named(tmp_path: Path) -> None:
    (tmp_path / "base.in").write_text("one==1.0  # first\ntwo_b==2\n")
    (tmp_path / "base.txt").write_text("one==1.1 \\\n    --hash=sha256:aa\ntwo-b==2\n    # via\n")
    for name in ("prod", "dev"):
        (tmp_path / f"{name}.in").write_text("-r base.in\n")
    (tmp_path / "prod.txt").write_text("one==1.1 --hash=sha256:aa\ntwo-b==3 --hash=sha256:bb\n")
    (tmp_path / "dev.txt").write_text("one==1.1 --hash=sha256:aa\ntwo-b==3 --hash=sha256:bb\n")
    assert list(locks.faults(tmp_path)) == [
        "base.txt has 1.1, base.in asks for one==1.0; run make lock",
        "base.txt: two-b has no hash; run make lock",
        "prod.txt has 3, the lock below it asks for two-b==2; run make lock",
    ]
    assert list(locks.unreasoned(tmp_path)) == [
        "base.in: two_b==2: say in a comment what it is for"
    ]
