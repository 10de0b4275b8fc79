"""A ShopManager with its HTTP API (shop_manager/tests/http_harness.py), and browsers at its dashboard."""

from __future__ import annotations

import pytest

from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.tests.conftest import harness, quick_hashes
from shop_manager.tests.http_harness import HttpHarness

__all__ = ["harness", "quick_hashes"]


@pytest.fixture
def browser(harness: HttpHarness) -> BrowserClient:
    """Not logged in."""
    return BrowserClient(harness)


@pytest.fixture
def viewer(harness: HttpHarness) -> BrowserClient:
    return BrowserClient(harness).logged_in("viewer")


@pytest.fixture
def operator(harness: HttpHarness) -> BrowserClient:
    return BrowserClient(harness).logged_in("operator")


@pytest.fixture
def admin(harness: HttpHarness) -> BrowserClient:
    return BrowserClient(harness).logged_in("admin")
