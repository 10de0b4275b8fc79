"""What holds of every page of one thing: readable by all (axe), not wider than its screen, harmless whoever wrote."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import (
    NARROW,
    WIDE,
    BrowserSessions,
    OpenPage,
)
from tests_browser.stuck_orders import no_answer

PAGES = [
    f"/dashboard/{name}"
    for name in ("activity", "activity?kind=stuck&hours=24", "activity?kind=x", "parked", "parked?state=all",
                 "processes", "processes?shop=squeaky-toys&customer=nobody", "figures", "figures?hours=1",
                 "bulk", "audit", "alerts", "runbooks", "runbooks?service=risk", "checks", "people", "help")
]  # fmt: skip
ACTED_ON = ("/dashboard/clerks/clk_0", "/dashboard/parked/", "/dashboard/bulk/")
EVIL = '"><img src=x onerror="document.title=1"><script>document.title=1</script>\u202egnp'


def full(shop: FaultyShop) -> list[str]:
    """Paths of all pages, in a shop that has something for each of them."""
    shop.send_raw("payment", bytes(range(256)))
    parked = "/ops/parked?state=parked&service=payment"
    shop.until(lambda: shop.call("GET", parked, None, shop.operator).json()["data"] != [], "parked")
    message = shop.call("GET", parked, None, shop.operator).json()["data"][0]["id"]
    order = no_answer(shop)
    bulk = {"action": "retry", "reason": "to be seen", "ids": [order]}
    made = shop.call("POST", "/ops/bulk", bulk, shop.operator).json()["id"]
    assert shop.call("POST", "/ops/alerts/test", None, shop.operator).status_code == 202
    done = shop.order()
    return [*PAGES, f"/dashboard/clerks/{order}", f"/dashboard/clerks/{done}", f"/dashboard/parked/{message}",
            f"/dashboard/bulk/{made}", "/dashboard/clerks/clk_nobody"]  # fmt: skip


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize(("dark", "width"), [(False, WIDE), (True, WIDE), (False, NARROW)])
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_its_screen(
    shop: FaultyShop, open_page: OpenPage, dark: bool, width: int
) -> None:
    page = open_page("admin", dark=dark, width=width)
    for path in full(shop):
        page.goto(path)
        unfold(page)
        assert serious_findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_a_viewer_sees_no_live_button_and_the_server_refuses_too(shop: FaultyShop, open_page: OpenPage) -> None:
    page = open_page("viewer")
    refused = []
    for path in full(shop):
        if path == "/dashboard/people":
            continue
        page.goto(path)
        expect(page.locator("main form[method=post] button:not([data-copy])")).to_have_count(0)
        if path.startswith(ACTED_ON):
            token = page.locator("input[name=csrf]").first.get_attribute("value") or ""
            form: dict[str, str | float | bool] = {"csrf": token, "action": "retry", "reason": "let me", "version": "1"}
            target = f"{path}/{'start' if '/bulk/' in path else 'actions'}"
            assert page.request.post(target, form=form, headers={"Origin": shop.url}).status == 403, path
            refused.append(path)
    assert len(refused) == 4, "two Clerks, a parked message and a bulk act"
    assert page.goto("/dashboard/people").status == 403  # type: ignore[union-attr]  # a page was loaded


def test_S10_markup_in_every_field_of_a_customer_is_text(shop: FaultyShop, sessions: BrowserSessions) -> None:
    address = dict.fromkeys(("name", "line1", "city", "country"), EVIL)
    shop.call("PUT", "/shop/customers/eve", {"name": EVIL, "email": "eve@shop.test", "type": "regular"})
    body = {"customer": "eve", "client_reference": EVIL[:60], "metadata": {"note": EVIL}, "shipping_address": address,
            "items": [{"sku": "SQUEAKY-BONE", "quantity": 1}]}  # fmt: skip
    answer = shop.call("POST", "/shop/session", body)
    assert answer.status_code == 201, answer.text
    page = sessions.open_page("operator")
    for path in (f"/dashboard/clerks/{answer.json()['id']}", "/dashboard/clerks?customer=eve"):
        page.goto(path)
        unfold(page)
        assert page.locator("main img, main script").count() == 0
        assert page.title() != "1"
    page.goto(f"/dashboard/clerks/{answer.json()['id']}")
    page.locator("summary", has_text="customer of").click()
    shown = page.locator("details.section[open] pre")
    expect(shown).to_contain_text("<script>document.title=1</script>⟨U+202E⟩")
