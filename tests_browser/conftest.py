"""The dashboard in a real Chromium: one shop and one browser for all tests, and a seat for each (README.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop
from tests_browser.chromium import chromium, installed
from tests_browser.seats import LIMIT_MS, Seat, Seats

_HERE = Path(__file__).parent
QUICK = {"CLERK_STEP_LIMIT_FACTOR": "0.05", "CLERK_RESEND_MOST": "8"}
"""A step's limit of a minute is three seconds: so a Clerk is stuck while one looks on. Then it is asked again more and
more slowly: on a busy machine too there is time to fill in a form before its version goes on."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker("browser")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = installed()
    if program is None:
        reason = "no Chromium to test with: install the package chromium, or set CLERK_TEST_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=LIMIT_MS)
    with chromium(program) as running:
        yield running


@pytest.fixture(scope="package")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyShop]:
    with faulty_shop(tmp_path_factory.mktemp("shop"), **QUICK) as shop:
        yield shop


@pytest.fixture
def shop(running_shop: FaultyShop) -> Iterator[FaultyShop]:
    """The shop, in which no fault is left in force afterwards."""
    yield running_shop
    running_shop.lift()


@pytest.fixture(scope="package")
def all_seats(browser: Browser, running_shop: FaultyShop) -> Seats:
    return Seats(browser, running_shop)


@pytest.fixture
def seats(all_seats: Seats) -> Iterator[Seats]:
    """Free seats. Afterwards no script may have failed, and nothing may have been loaded from elsewhere."""
    yield all_seats
    all_seats.leave()
    troubles, all_seats.troubles = all_seats.troubles, []
    assert troubles == []


@pytest.fixture
def seat(seats: Seats) -> Seat:
    return seats.take


@pytest.fixture
def page(seat: Seat) -> Page:
    """An operator's."""
    return seat()
