"""The steps of docs/operators.md, played as they are written there, in their order."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.browser_sessions import BrowserSessions, OpenPage, log_in
from tests_browser.stuck_orders import SETTLED, no_answer

WAYS = {**{kind: case.make for kind, case in SETTLED.items()}, "no_answer": no_answer}
CHAPTER = ("On the dashboard", "The danger", "By itself", "Check", "The way out", "Healed", "Never")


@pytest.mark.parametrize("kind", WAYS)
def test_the_first_five_minutes(shop: FaultyShop, sessions: BrowserSessions, kind: str) -> None:
    order = WAYS[kind](shop)
    stuck = shop.stuck(order) or {}
    page = sessions.open_page(None)
    # 1. Log in. 2. Read the first line of the home page.
    name = f"on-duty-{kind.replace('_', '-')}"
    log_in(page, name, sessions.add_operator(name, "operator"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Is anything stuck?")
    expect(page.locator(".verdict")).to_contain_text(
        re.compile(r"Yes: \d+ orders? (is|are) stuck; .* at risk.*; the oldest since")
    )
    expect(page.locator("#pulse")).to_contain_text("checked")
    # 3. Look at the services above it.
    expect(page.locator("#health")).to_contain_text(stuck["service"])
    # 4. Click the cause, and in its words the list of its orders. 5. Click one order.
    found = cause(page, stuck)
    found.locator("summary").click()
    found.get_by_role("link", name="as a list").click()
    page.get_by_role("link", name=order).click()
    expect(page.locator(".headline")).to_be_visible()
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    expect(page.locator(".desk-side")).to_contain_text("Your move")
    # "What this means" leads to the right chapter, and all of it is there.
    page.get_by_role("link", name="What this means").click()
    chapter = page.get_by_role("heading", name=kind, exact=True)
    expect(chapter).to_be_in_viewport()
    for part in CHAPTER:
        expect(page.locator("main")).to_contain_text(part)
    shop.lift()


def cause(page: Page, stuck: dict[str, str]) -> Locator:
    """The line of the cause."""
    where = f"[href*='kind={stuck['kind']}'][href*='code={stuck['code']}']"
    return page.locator("#causes details", has=page.locator(f"a{where}", has_text="as a list")).first


def test_bulk_repair(shop: FaultyShop, open_page: OpenPage) -> None:
    shop.put("payment", "pause", step="capture")
    orders = [shop.order() for _ in range(4)]
    for order in orders:
        shop.is_stuck(order, "no_answer")
    page = open_page("admin")
    page.goto("/dashboard")
    # On the home page "Act" on the cause: act and filter are filled in.
    page.get_by_role("link", name="Act on no answer at capture").click()
    expect(page).to_have_url(re.compile("code=no_answer"))
    form = page.locator("form", has=page.get_by_role("button", name="Preview"))
    expect(form.get_by_role("combobox", name="Cause")).to_have_value("no_answer")
    expect(form.get_by_label("Code")).to_have_value("no_answer")
    expect(form.get_by_label("Step")).to_have_value("capture")
    expect(form.get_by_label("stuck ones only")).to_be_checked()
    # "Preview" freezes the list, with count and money, and does nothing yet.
    page.get_by_label("Why?").fill("payment is repaired")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ask again now: 4 orders, €51.80")
    for order in orders:
        expect(page.locator("tbody")).to_contain_text(order)
    assert {shop.timeline(order)[-1]["what"] for order in orders} == {"stuck"}
    # "Start" takes a pace; repaired, they go on, and each is followed until it is known.
    shop.lift()
    page.get_by_label("How many a minute").fill("1200")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#progress")).to_contain_text("finished", timeout=90_000)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    for order in orders:
        shop.becomes(order, "completed")


@pytest.mark.parametrize(
    "filters", ["code=no_answer", "older_than=1s", "older_than=1s&code=no_answer&process=standard/1"]
)
def test_all_of_a_list_can_be_acted_on_whatever_its_filter(shop: FaultyShop, open_page: OpenPage, filters: str) -> None:
    order = no_answer(shop)
    page = open_page("admin")
    page.goto(f"/dashboard/clerks?stuck=yes&{filters}")
    page.get_by_role("link", name="Act on all of these").click()
    page.get_by_label("Why?").fill("to be seen")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("tbody")).to_contain_text(order)
    page.goto("/dashboard/clerks?stuck=yes&older_than=30d")
    expect(page.get_by_role("link", name="Act on all of these")).to_have_count(0)
    page.goto("/dashboard/bulk?stuck=yes&older_than=soon&action=retry&reason=x")
    page.get_by_label("Why?").fill("to be seen")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d")
    expect(page.get_by_role("alert")).not_to_contain_text("Value error")
    shop.lift()
    shop.becomes(order, "completed")
