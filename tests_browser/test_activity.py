"""The page of what happened, left open: it says what is new, and shows it when asked."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.stuck_orders import no_answer

PAGE = "/dashboard/activity?kind=stuck"


def test_an_open_page_says_what_is_new_and_shows_it_when_asked(shop: FaultyShop, page: Page) -> None:
    page.goto(PAGE)
    rows = page.locator("tbody tr").count()
    before = int(page.locator("#hours b").first.inner_text())
    order = no_answer(shop)
    expect(page.locator("#news")).to_have_text(re.compile(r"\d new, show"))
    expect(page.locator("#hours b").first).not_to_have_text(str(before))
    assert page.locator("tbody tr").count() == rows, "nothing that is read is moved"
    page.locator("#news a").click()
    expect(page.get_by_role("link", name=order)).to_be_visible()
    expect(page.locator("#news")).to_be_empty()
