"""Rows of the list are chosen and acted on together: with boxes that count, and with none but HTML."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import OpenPage

LIST = "/dashboard/clerks"


def opened(shop: FaultyShop, count: int, reference: str) -> list[str]:
    """Sessions that the shop's backend has opened under this reference."""
    body = {"client_reference": reference}
    return [shop.call("POST", "/shop/session", body).json()["id"] for _ in range(count)]


def noted(shop: FaultyShop, page: Page, why: str, clerks: list[str]) -> None:
    """Leaves a note on those that are chosen, from the form to the end."""
    page.get_by_label("Do what").select_option("note")
    page.get_by_label("Why?").fill(why)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f": {len(clerks)} orders")
    for clerk in clerks:
        expect(page.locator("tbody")).to_contain_text(clerk)
    page.get_by_label("How many a minute").fill("1200")
    page.get_by_role("button", name="Start").click()
    shop.until(lambda: all(why in str(shop.timeline(clerk)) for clerk in clerks), f"{clerks} have the note")
    page.reload()
    expect(page.locator("#progress")).to_contain_text("finished")


def test_rows_are_ticked_and_acted_on(shop: FaultyShop, open_page: OpenPage) -> None:
    made = opened(shop, 3, "ticked 1")
    page = open_page("admin")
    page.goto(f"{LIST}?reference=ticked+1")
    act = page.get_by_role("button", name=re.compile("Act on the"))
    expect(act).to_be_disabled()
    page.get_by_label("Choose all on this page").check()
    expect(act).to_have_text("Act on the 3 chosen")
    row = page.locator("tbody tr", has_text=made[1])
    row.get_by_role("checkbox").uncheck()
    expect(act).to_have_text("Act on the 2 chosen")
    assert serious_findings(page) == []
    act.click()
    expect(page.get_by_text("To the 2 Clerks that you have chosen")).to_be_visible()
    assert serious_findings(page) == []
    noted(shop, page, "ticked by hand", [made[0], made[2]])
    assert "ticked by hand" not in str(shop.timeline(made[1]))


def test_without_javascript_rows_are_chosen_columns_too_and_a_chip_goes(shop: FaultyShop, open_page: OpenPage) -> None:
    made = opened(shop, 2, "plain 1")
    page = open_page("admin", javascript=False)
    page.goto(f"{LIST}?reference=plain+1&status=open")
    page.get_by_role("link", name="status open").click()
    expect(page).to_have_url(re.compile(r"\?reference=plain\+1$"))
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Customer", exact=True).last.uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page).to_have_url(re.compile(r"columns=reference%2Ctotal%2C"))
    expect(page.get_by_role("columnheader", name="Customer")).to_have_count(0)
    page.get_by_role("button", name="Act on all 2 of this page").click()
    expect(page.get_by_text("To the 2 Clerks that you have chosen")).to_be_visible()
    noted(shop, page, "chosen without a script", made)
