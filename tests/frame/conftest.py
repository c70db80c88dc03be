from __future__ import annotations

from pathlib import Path

import pytest

from tests.frame.checkout import Checkout, checkout_make


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return checkout_make(tmp_path)
