from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from pool_manager.journal.kinds import KINDS

HEADER = """\
# Events

<!-- made by `manage.py events_doc` from pool_manager/journal/kinds.py; edit that table instead -->

Everything the product does or sees is an event with a number. Numbers have no gaps and rise in
the order of the commits, so a reader that has seen N asks for what comes after N.

```json
{"seq": 1042, "at": "2026-03-04T05:06:07.089Z", "kind": "instance.down", "severity": "critical",
 "pool": "recording", "instance": "recording@a1:9001", "host": "a1", "zone": "zone-a",
 "labels": {}, "actor": "prober@node-1", "message": "recording@a1:9001 down: connection refused",
 "data": {"reason": "connection refused", "count": 2, "was": "up"}, "cause": null}
```

`at` is when it happened, which need not rise with `seq`. `actor` is who did it: a user, or a
process such as `prober@node-1`. `cause` is the number of the event that led to this one. `pool`,
`instance`, `host` and `zone` are names, or null; they outlive what they name.

A kind is `object.what_happened`; filters take prefixes such as `instance.`.
"""


class Command(BaseCommand):
    """docs/events.md, made from the table of kinds."""

    help = "Write docs/events.md from the table of event kinds; --check only compares."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Check, and another file."""
        parser.add_argument(
            "--check", action="store_true", help="exit 1 if the file is not current"
        )
        parser.add_argument(
            "--file",
            type=Path,
            default=settings.BASE_DIR / "docs" / "events.md",
            help="the page (default docs/events.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        """Write, or compare."""
        path: Path = options["file"]
        page = events_page()
        if not options["check"]:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            self.stderr.write(f"{path} is not what the table says; run manage.py events_doc")
            sys.exit(1)


def events_page() -> str:
    """The whole page; a section for each object, a row for each kind."""
    parts = [HEADER]
    for name in sorted({kind.partition(".")[0] for kind in KINDS}):
        parts.append(
            f"\n## {name}\n\n| kind | severity | what happened | `data` |\n|---|---|---|---|\n"
        )
        parts.extend(_row(kind) for kind in sorted(KINDS) if kind.startswith(f"{name}."))
    return "".join(parts)


def _row(kind: str) -> str:
    row = KINDS[kind]
    data = ", ".join(f"`{name}`" for name in row.data)
    return f"| `{kind}` | {row.severity} | {row.sentence} | {data} |\n"
