from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pool_manager.core.params import Choice, JsonValue, Reader, Text, Whole


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (Whole(0, 9), " 7 ", 7),
        (Whole(0, 9), "7.0", "7.0"),
        (Whole(0, 9), "\u0667", "\u0667"),
        (JsonValue(), '{"a": 1}', {"a": 1}),
        (JsonValue(), "ok", "ok"),
        (Text(), " as it is ", " as it is "),
        (Choice(("GET", "HEAD")), "GET", "GET"),
    ],
)
def test_what_a_text_stands_for(reader: Reader, text: str, value: object) -> None:
    assert reader.from_text(text) == value


@pytest.mark.parametrize("reader", [Whole(0, 9), JsonValue(), Text(), Choice(("GET",))], ids=repr)
@given(text=st.text())
@example(text="9" * 5000)
@example(text="[" * 100_000)
def test_any_text_is_taken_and_judged_by_read_alone(reader: Reader, text: str) -> None:
    value = reader.from_text(text)
    try:
        reader.read(value)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either outcome is fine, a silent refusal is not
