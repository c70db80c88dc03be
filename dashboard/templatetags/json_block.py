"""Data for a page's scripts, as a block that runs nothing."""

from __future__ import annotations

from typing import Any

import orjson
from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

register = template.Library()


@register.filter
def json_block(value: Any, element_id: str) -> str:
    """Django's `json_script` at a sixth of its cost, which at 10,000 instances is most of a page."""
    text = orjson.dumps(value).decode()
    # the same three characters as `json_script`: none of them can then end the element
    for character, escaped in (("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026")):
        text = text.replace(character, escaped)
    safe = mark_safe(text)  # noqa: S308  # escaped above
    return format_html('<script id="{}" type="application/json">{}</script>', element_id, safe)
