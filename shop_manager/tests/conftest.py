"""The fixture `harness`: a new ShopManager with its HTTP API for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from http_api.tests.quick_hashes import quick_hashes
from shop_manager.tests.http_harness import HttpHarness

__all__ = ["quick_hashes"]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[HttpHarness]:
    harness = HttpHarness(tmp_path)
    yield harness
    harness.notifier.close()
    harness.database.close()
