"""On a customer's page: who asks to be forgotten, played by an admin."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, OpenPage

PAGE = "/dashboard/customers/zora"


def order_of_zora(shop: FaultyShop) -> str:
    """Just opened: nothing of it is paid."""
    shop.call("PUT", "/shop/customers/zora", {"name": "Zoraida Quint", "email": "zoraida@quint.example"})
    answer = shop.call("POST", "/shop/session", {"customer": "zora"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_customer_is_forgotten_once_no_order_is_under_way(shop: FaultyShop, open_page: OpenPage) -> None:
    order = order_of_zora(shop)
    page = open_page("admin")
    page.goto(PAGE)
    side = page.get_by_role("region", name="Asks to be forgotten")
    expect(side).to_contain_text(f"Still under way: {order}; let them end, or stop and undo them")
    expect(side.get_by_role("button")).to_have_count(0)
    shop.cancel(order)
    shop.ends(order)
    page.reload()
    side.get_by_text("Takes the person out of 1 order").click()
    expect(side).to_contain_text("Stays:")
    assert serious_findings(page) == []
    side.get_by_label("Why?").fill("request 17")
    side.get_by_role("button", name="Forget this customer").click()
    expect(page.get_by_role("status").filter(has_text="Erased in 1 of 1 order")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("link", name="The orders, as they are kept").click()
    expect(page).to_have_url(re.compile(f"{PAGE}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("erased")
    expect(page.locator("main")).not_to_contain_text("Zoraida")
    expect(side).to_contain_text("nothing is left to erase here")


def test_what_goes_and_stays_fits_a_telephone_and_is_offered_to_admins_only(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    order = order_of_zora(shop)
    shop.cancel(order)
    shop.ends(order)
    page = open_page("admin", width=NARROW)
    page.goto(PAGE)
    page.get_by_text("Takes the person out of").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    page = open_page("operator")
    page.goto(PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoraida Quint")
    expect(page.get_by_role("region", name="Asks to be forgotten")).to_have_count(0)
