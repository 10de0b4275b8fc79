"""A payment service of its own for each test, with its own tables, clock and provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from payment_service.tests.harness import PaymentHarness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[PaymentHarness]:
    harness = PaymentHarness(tmp_path)
    yield harness
    harness.close()
