"""Links inside the Markdown pages: `python -m tests.frame.links` names those that lead nowhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent.parent
ELSEWHERE = ("http://", "https://", "mailto:")
NOT_OURS = {".venv", "node_modules", "var", "staticfiles", "vendor"}

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def pages(root: Path) -> list[Path]:
    return sorted(
        path
        for path in root.rglob("*.md")
        if not any(
            part in NOT_OURS or part.startswith(".") for part in path.relative_to(root).parts
        )
    )


def dead_links(root: Path) -> Iterator[str]:
    """A sentence for each link that leads to no file, or to no heading of a page."""
    for page in pages(root):
        text = _CODE.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
        for link in _LINK.findall(text):
            if not link.startswith(ELSEWHERE) and not _leads_somewhere(page, link):
                yield f"{page.relative_to(root)}: {link} leads nowhere"


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


if __name__ == "__main__":
    dead = list(dead_links(ROOT))
    sys.stderr.writelines(f"{sentence}\n" for sentence in dead)
    sys.exit(1 if dead else 0)
