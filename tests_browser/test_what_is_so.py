"""The pages never say what is not so: who answers is not called silent, and nothing that is over is promised."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.stuck_orders import overdue

CLERKS = "/dashboard/clerks"


def test_a_service_that_answers_that_it_cannot_is_shown_with_its_words_and_not_as_silent(
    shop: FaultyShop, page: Page
) -> None:
    order = overdue(shop)
    page.goto("/dashboard")
    page.get_by_role("link", name="overdue at settle").click()
    page.get_by_role("link", name=order).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("risk cannot do settle")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("silent")
    expect(page.locator(".desk-side")).to_contain_text("refused_by_fault")
    moments = page.locator(".desk-side .moments li")
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
