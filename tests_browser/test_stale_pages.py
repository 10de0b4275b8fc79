"""A page that is open for long: it never shows what was as if it were, and says when its login has ended."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import MetaData, update

from clerk_cli.databases import files_in, open_one
from clerk_cli.services import the_service
from clerk_cli.tests.faults_shop import FaultyShop
from domain.times import hours
from shop_manager.engine.login_table import login_table
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, WIDE, BrowserSessions, OpenPage, fill_in_login, log_in
from tests_browser.stuck_orders import no_answer

HOME, LIST = "/dashboard", "/dashboard/clerks"
SINCE = r"not up to date since \d\d:\d\d UTC"


@pytest.fixture
def frozen(shop: FaultyShop) -> Iterator[FaultyShop]:
    """The shop, which is set going again afterwards."""
    yield shop
    shop.running.signal(signal.SIGCONT)


@pytest.mark.parametrize(("dark", "width"), [(False, WIDE), (True, NARROW)])
def test_a_page_of_a_frozen_server_says_since_when_it_is_not_up_to_date(
    frozen: FaultyShop, open_page: OpenPage, sessions: BrowserSessions, dark: bool, width: int
) -> None:
    page = open_page(dark=dark, width=width)
    page.clock.install()
    for path in (HOME, LIST, "/dashboard/figures"):
        page.goto(path)
        expect(page.locator("#live")).to_be_attached()
        frozen.running.signal(signal.SIGSTOP)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.clock.fast_forward(21_000)
        expect(page.locator("#stale")).to_have_text(re.compile(f"{SINCE}. Trying again.", re.IGNORECASE))
        expect(page.locator("#stale")).to_be_in_viewport()
        expect(page).to_have_title(re.compile("^Not up to date: "))
        for part in ("#pulse", "main"):
            expect(page.locator(part)).to_have_css("filter", "grayscale(1)")
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        frozen.running.signal(signal.SIGCONT)
        expect(page.locator("#stale")).to_be_hidden()
        expect(page).not_to_have_title(re.compile("^Not up to date"))
    sessions.forgive("htmx:sse:error")
    sessions.forgive("htmx:error")


def test_who_was_logged_out_elsewhere_is_told_and_loses_nothing_typed(
    shop: FaultyShop, sessions: BrowserSessions
) -> None:
    order = no_answer(shop)
    page = sessions.open_page(None)
    password = sessions.add_operator("nell", "operator")
    log_in(page, "nell", password)
    page.goto(f"{LIST}/{order}")
    page.locator("details[open] textarea").fill("payment is called")
    elsewhere = page.context.new_page()
    elsewhere.goto(HOME)
    elsewhere.get_by_role("button", name="Log out").click()
    elsewhere.wait_for_url("**/login")
    expect(page.locator("#ended")).to_have_text(re.compile(f"Your login has ended; this page is {SINCE}. Log in again"))
    expect(page.locator("#stale")).to_be_hidden()
    expect(page.locator("details[open] textarea")).to_have_value("payment is called")
    page.locator("#ended").get_by_role("link", name="Log in again").click()
    fill_in_login(page, "nell", password)
    expect(page).to_have_url(re.compile(f"{LIST}/{order}$"))
    sessions.forgive("htmx:sse:error")


def test_an_idle_login_ends_on_the_open_page(shop: FaultyShop, sessions: BrowserSessions) -> None:
    page = sessions.open_page(None)
    log_in(page, "nick", sessions.add_operator("nick", "viewer"))
    page.goto(f"{LIST}?stuck=yes")
    an_hour_passes_for(shop, "nick")
    expect(page.locator("#ended")).to_be_visible()
    assert serious_findings(page) == []
    expect(page.locator("#ended a")).to_have_attribute("href", "/dashboard/login?next=/dashboard/clerks%3Fstuck%3Dyes")
    sessions.forgive("htmx:sse:error")


def an_hour_passes_for(shop: FaultyShop, operator: str) -> None:
    """As if nothing had been asked for by them for an hour."""
    database = open_one(the_service("shop_manager"), files_in(shop.data))
    table = login_table(MetaData())
    with database.begin() as tx:
        past = table.c.seen_at - hours(1)
        tx.execute(update(table).where(table.c.operator == operator).values(seen_at=past))
    database.close()


def test_a_page_that_is_seen_again_after_hours_does_not_look_fresh(page: Page) -> None:
    page.clock.install()
    page.goto(HOME)
    expect(page.locator("#live")).to_be_attached()
    page.route("**/dashboard/live*", lambda route: None)
    hide(page, True)
    page.clock.fast_forward("03:00:00")
    expect(page.locator("#stale")).to_be_hidden()
    hide(page, False)
    expect(page.locator("#stale")).to_be_visible()


def hide(page: Page, hidden: bool) -> None:
    """As a browser does when another tab is looked at."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
