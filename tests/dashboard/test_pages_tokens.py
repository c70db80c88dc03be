from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static/css"
TOKEN = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
TOKENS = {
    name: (light, dark) for name, light, dark in TOKEN.findall((CSS / "tokens.css").read_text())
}

TEXT_ON = ["bg", "surface", "raised", "hover"]
TEXTS = ["text", "text-quiet", "accent", "up-text", "doubt", "down", "degraded", "idle"]
GRAPHICS = ["up", "doubt", "down", "degraded", "idle", "line-strong", "accent"]


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lowest(name: str, ground: str) -> float:
    return min(contrast(*pair) for pair in zip(TOKENS[name], TOKENS[ground], strict=True))


@pytest.mark.parametrize("ground", TEXT_ON)
@pytest.mark.parametrize("name", TEXTS)
def test_text_can_be_read(name: str, ground: str) -> None:
    assert lowest(name, ground) >= 4.5


@pytest.mark.parametrize("name", ["text", "text-quiet", "down"])
def test_text_can_be_read_in_a_row_that_is_down(name: str) -> None:
    assert lowest(name, "down-wash") >= 4.5


@pytest.mark.parametrize("name", GRAPHICS)
def test_shapes_can_be_told_from_the_page(name: str) -> None:
    assert lowest(name, "bg") >= 3


def test_a_main_buttons_words_can_be_read() -> None:
    assert lowest("on-accent", "accent-fill") >= 4.5


@pytest.mark.parametrize("sheet", ["base.css", "fleet.css"])
def test_the_pages_colours_are_named_in_one_file(sheet: str) -> None:
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!.*\{)|\brgba?\(", (CSS / sheet).read_text())
