"""A change form of the admin as a browser has it: every field with its value."""

from __future__ import annotations

from html.parser import HTMLParser

NOT_SENT = {"submit", "button", "image", "reset", "file"}


class AdminForm(HTMLParser):
    """`fields` is what the browser would send if nothing were touched."""

    def __init__(self, page: str, *, form_id: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form_id = form_id
        self._inside = False
        self._select: str | None = None
        self._textarea: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        name, value = has.get("name") or "", has.get("value") or ""
        if tag == "form":
            self._inside = has.get("id") == self._form_id
        elif not self._inside:
            return
        elif tag == "input":
            self._input(name, value, has)
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea, self.fields[name] = name, ""
        elif tag == "option" and self._select:
            self.fields.setdefault(self._select, value)  # the first, unless another is selected
            if "selected" in has:
                self.fields[self._select] = value

    def _input(self, name: str, value: str, has: dict[str, str | None]) -> None:
        kind = has.get("type") or "text"
        if not name or kind in NOT_SENT or "disabled" in has:
            return
        if kind not in {"checkbox", "radio"}:
            self.fields[name] = value
        elif "checked" in has:
            self.fields[name] = value or "on"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.fields[self._textarea] += data
