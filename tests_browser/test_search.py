"""The search of every page as an operator meets it: by keys, while typing, and as a plain form without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, WIDE, OpenPage

ITEMS = [{"sku": "SQUEAKY-BONE", "quantity": 1}]


def orders(shop: FaultyShop, references: list[str]) -> list[str]:
    bodies = [{"items": ITEMS, "client_reference": each, "name": "Zoë Ångström"} for each in references]
    return [str(shop.call("POST", "/shop/session", body).json()["id"]) for body in bodies]


@pytest.mark.parametrize("keys", ["/", "Control+k", "Meta+k"])
def test_keys_lead_into_the_search_and_arrows_to_what_is_found(shop: FaultyShop, page: Page, keys: str) -> None:
    [first, second] = orders(shop, [f"keys-{ord(keys[0])}-1", f"keys-{ord(keys[0])}-2"])
    page.goto("/dashboard/audit")
    page.keyboard.press(keys)
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type(f"KEYS {ord(keys[0])}")
    expect(page.locator("#hits a")).to_have_count(2)
    expect(page.locator("#hits-said")).to_have_text("2 found, arrow down leads to them")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#hits a").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/dashboard/clerks/({first}|{second})$"))


def test_escape_closes_what_was_found_and_keeps_what_was_typed(shop: FaultyShop, page: Page) -> None:
    orders(shop, ["escape-1"])
    page.goto("/dashboard")
    page.locator("#search").type("escape")
    expect(page.locator("#hits a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#hits")).to_be_hidden()
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#search")).to_have_value("escape")


def test_half_an_id_and_enter_open_the_order(shop: FaultyShop, page: Page) -> None:
    [order] = orders(shop, ["half-1"])
    page.goto("/dashboard")
    page.keyboard.press("/")
    page.keyboard.type(order[4:24])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/dashboard/clerks/{order}$"))


def test_without_javascript_it_is_a_form(shop: FaultyShop, open_page: OpenPage) -> None:
    [first, second] = orders(shop, ["plain-1", "plain-2"])
    page = open_page("viewer", javascript=False)
    page.goto("/dashboard")
    page.locator("#search").fill("plain")
    page.locator("#search").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Found for “plain”")
    for order in (first, second):
        expect(page.locator(f'main a[href="/dashboard/clerks/{order}"]')).to_be_visible()


@pytest.mark.parametrize(("dark", "width"), [(False, WIDE), (True, WIDE), (False, NARROW)])
def test_what_is_found_is_readable_by_all_and_no_wider_than_the_screen(
    shop: FaultyShop, open_page: OpenPage, dark: bool, width: int
) -> None:
    orders(shop, ["look-1", "look-2"])
    page = open_page("viewer", dark=dark, width=width)
    for path in ("/dashboard/find?q=look", "/dashboard/find?q=nothing-at-all", "/dashboard/find"):
        page.goto(path)
        assert serious_findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
    page.locator("#search").fill("loo")
    page.locator("#search").dispatch_event("input")
    expect(page.locator("#hits a").first).to_be_visible()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def named_order(shop: FaultyShop, reference: str) -> str:
    body = {"items": ITEMS, "client_reference": reference, "customer": "ada"}
    order = str(shop.call("POST", "/shop/session", body).json()["id"])
    path = f"/shop/session/{order}"
    shop.until(lambda: shop.call("GET", path).json()["status"] == "requires_action", "the customer has to pay")
    return order


def test_support_finds_the_customer_by_address_and_stops_the_order(shop: FaultyShop, open_page: OpenPage) -> None:
    order = named_order(shop, "telephone-1")
    page = open_page("support")
    page.goto("/dashboard")
    page.keyboard.press("Control+k")
    page.keyboard.type("ADA@example.com")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/dashboard/customers/ada$"))
    expect(page.get_by_role("heading", name="Credit now")).to_be_visible()
    expect(page.locator("main")).to_contain_text("available")
    page.get_by_role("link", name="telephone-1").click()
    expect(page).to_have_url(re.compile(f"/dashboard/clerks/{order}$"))
    expect(page.locator("#act-retry")).to_have_count(0)
    page.locator("#act-undo summary").click()
    page.locator("#act-undo").get_by_label(re.compile("Why")).fill("the customer asks for it")
    page.locator("#act-undo button").click()
    expect(page.get_by_text("The order has turned around and is being undone.")).to_be_visible()


@pytest.mark.parametrize(("dark", "width"), [(False, WIDE), (True, WIDE), (False, NARROW)])
def test_a_customers_page_is_readable_by_all(shop: FaultyShop, open_page: OpenPage, dark: bool, width: int) -> None:
    named_order(shop, "look-at-ada")
    page = open_page("support", dark=dark, width=width)
    page.goto("/dashboard/customers/ada")
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
