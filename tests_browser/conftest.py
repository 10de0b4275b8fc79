"""The dashboard in a real Chromium: one shop and one browser for all tests, and a session for each (README.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop
from shop_manager.alerts.tests.receivers import HttpReceiver, http_receiver
from tests_browser.browser_sessions import LIMIT_MS, BrowserSessions, OpenPage
from tests_browser.chromium import chromium, installed

_HERE = Path(__file__).parent
QUICK = {"CLERK_STEP_LIMIT_FACTOR": "0.05", "CLERK_RESEND_MOST": "8"}
"""A step's limit of a minute is three seconds, so that a Clerk is stuck soon. Resends come ever more slowly, up to 8 s
apart: on a busy machine too there is time to fill in a form before the next one changes the version."""


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
def receiver() -> Iterator[HttpReceiver]:
    """Where the shop's alerts go: those that somebody sends, because nothing is stuck for an hour."""
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def running_shop(tmp_path_factory: pytest.TempPathFactory, receiver: HttpReceiver) -> Iterator[FaultyShop]:
    told = {"CLERK_ALERT_WEBHOOK": receiver.url, "CLERK_ALERT_WAIT": "3600"}
    with faulty_shop(tmp_path_factory.mktemp("shop"), **QUICK, **told) as shop:
        yield shop


@pytest.fixture
def shop(running_shop: FaultyShop) -> Iterator[FaultyShop]:
    """The shop, in which no fault is in force afterwards, and no order on its way that the next test could meet."""
    yield running_shop
    running_shop.recover()


@pytest.fixture(scope="package")
def all_sessions(browser: Browser, running_shop: FaultyShop) -> BrowserSessions:
    return BrowserSessions(browser, running_shop)


@pytest.fixture
def sessions(all_sessions: BrowserSessions) -> Iterator[BrowserSessions]:
    """New sessions. Afterwards no script may have failed, and nothing may have been loaded from elsewhere."""
    yield all_sessions
    all_sessions.close_all()
    errors, all_sessions.errors = all_sessions.errors, []
    assert errors == []


@pytest.fixture
def open_page(sessions: BrowserSessions) -> OpenPage:
    return sessions.open_page


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of an operator."""
    return open_page()
