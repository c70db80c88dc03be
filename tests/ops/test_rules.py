from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_manager.ops.rules import Periodic, restart_delay_s


@pytest.mark.parametrize(
    ("failures", "delay_s"),
    [(-1, 0.25), (0, 0.25), (1, 0.25), (2, 0.5), (3, 1), (4, 2), (6, 8), (7, 10), (10**9, 10)],
)
def test_the_delay_doubles_up_to_ten_seconds(failures: int, delay_s: float) -> None:
    assert restart_delay_s(failures) == delay_s


@given(unix_s=st.floats(0, 4e9), every_s=st.integers(1, 86_400))
def test_a_period_has_one_number(unix_s: float, every_s: int) -> None:
    periodic = Periodic("x", every_s=every_s)
    bucket = periodic.bucket(unix_s)
    assert bucket * every_s <= unix_s < (bucket + 1) * every_s
    assert periodic.bucket(bucket * every_s) == bucket
