"""The pages never say what is not so: who answers is not called silent, and nothing that is over is promised."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.browser_sessions import OpenPage
from tests_browser.stuck_orders import no_answer, overdue

CLERKS = "/dashboard/clerks"


def test_a_service_that_answers_that_it_cannot_is_shown_with_its_words_and_not_as_silent(
    shop: FaultyShop, page: Page
) -> None:
    order = overdue(shop)
    page.goto("/dashboard")
    page.get_by_role("link", name="overdue at settle").click()
    expect(page).to_have_url(re.compile(order))
    expect(page.get_by_role("heading", level=1)).to_contain_text("risk cannot do settle")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("silent")
    expect(page.locator(".desk-side")).to_contain_text("refused_by_fault")
    moments = page.locator(".desk-side ul.moments li")
    expect(moments).to_have_count(1)
    expect(moments).not_to_contain_text("ago")


def test_a_service_that_falls_silent_is_called_so_and_the_first_moment_stays(shop: FaultyShop, page: Page) -> None:
    order = overdue(shop)
    since = (shop.stuck(order) or {})["since"]
    shop.put("risk", "pause", step="settle")
    shop.until(lambda: (shop.stuck(order) or {}).get("kind") == "no_answer", "it is silent now")
    page.goto(f"{CLERKS}/{order}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("risk has not answered in time")
    expect(page.locator(".story .line.bad").first).to_contain_text("Stuck at settle for another reason now: no answer")
    assert (shop.stuck(order) or {})["since"] == since
    shop.lift()
    shop.becomes(order, "completed")


def test_many_that_are_asked_while_the_service_is_down_are_told_still_stuck_since_the_first_moment(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    orders = [no_answer(shop) for _ in range(2)]
    since = [(shop.stuck(order) or {})["since"] for order in orders]
    page = open_page("admin")
    page.goto("/dashboard/bulk?stuck=yes&kind=no_answer&action=retry")
    page.get_by_label("Why?").fill("is it up?")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#items")).to_contain_text("may be done")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#progress")).to_contain_text("finished", timeout=60_000)
    expect(page.locator("#progress")).to_contain_text("still stuck")
    expect(page.locator("#progress")).not_to_contain_text("healed")
    expect(page.locator("#items")).to_contain_text("payment has not answered in time")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert [(shop.stuck(order) or {})["since"] for order in orders] == since
    shop.lift()
    for order in orders:
        shop.becomes(order, "completed")


def test_what_is_for_good_looks_so_before_it_starts_and_says_to_whom_it_may_not_be_done(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    late = no_answer(shop)
    early = shop.order(None)
    made = shop.call(
        "POST", "/ops/bulk", {"action": "undo", "reason": "to be seen", "ids": [late, early]}, shop.operator
    )
    page = open_page("admin")
    page.goto(f"/dashboard/bulk/{made.json()['id']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stop and undo: 1 of 2 orders")
    expect(page.locator("#items tr", has_text=late)).to_contain_text("past the point of no return")
    expect(page.locator("#items tr", has_text=early)).to_contain_text("may be done")
    start = page.get_by_role("button", name="Start: stop and undo")
    assert "grave" in (start.get_attribute("class") or "")
    start.click()
    expect(page.locator("#progress")).to_contain_text("finished Of 2: 1 healed, 1 not allowed", timeout=60_000)
    shop.becomes(early, "canceled")
