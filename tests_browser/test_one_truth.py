"""What stands on one page is of one moment, and the same is said by `/ops` and `/metrics`."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.stuck_orders import no_answer, overdue, unsupported

HOME, LIST = "/dashboard", "/dashboard/clerks"
WATCH = """() => {
  window.contradictions = [];
  const look = () => {
    const says = (place) => document.querySelector(place)?.textContent || "";
    const stuck = [
      document.querySelector("#causes summary") !== null,
      /^Yes/.test(says(".verdict strong")),
      /^\\d+ stuck/.test(document.title),
      /\\d+ stuck/.test(says("#pulse")),
    ];
    if (new Set(stuck).size > 1) window.contradictions.push(stuck.join());
    requestAnimationFrame(look);
  };
  look();
}"""
"""Looks at each frame that is painted: does the page say in all places that something is stuck, or in none?"""


def test_headline_table_title_and_banner_change_together(shop: FaultyShop, page: Page) -> None:
    page.goto(HOME)
    expect(page.locator(".verdict")).to_contain_text("nothing is stuck")
    page.evaluate(WATCH)
    shop.put("payment", "pause", step="capture")
    orders = [shop.order() for _ in range(3)]
    for order in orders:
        shop.is_stuck(order, "no_answer")
    cause = page.locator(".causes > li")
    expect(cause).to_contain_text("no answer at capture")
    expect(cause.locator(".cause-count")).to_have_text("3 stuck")
    expect(page).to_have_title(re.compile("^3 stuck"))
    expect(page.locator(".verdict")).to_contain_text("Yes: 3 orders are stuck; €38.85 at risk")
    page.keyboard.press("j")
    silent = page.locator("#causes summary", has_text="no answer at capture")
    expect(silent).to_be_focused()
    page.keyboard.press("Enter")
    late = unsupported(shop)
    expect(page.locator(".causes > li")).to_have_count(2)
    expect(silent).to_be_focused()
    expect(page.locator(".causes details[open]")).to_contain_text("payment has not answered capture")
    shop.lift()
    for order in orders:
        shop.becomes(order, "completed")
    shop.ends(late)  # completed, or expired if its limit has passed meanwhile
    expect(page.locator(".verdict")).to_contain_text("nothing is stuck")
    expect(page.locator("#causes summary")).to_have_count(0)
    expect(page).to_have_title(re.compile("^Home"))
    assert page.evaluate("window.contradictions") == []


def test_the_chart_and_the_numbers_beside_it_are_counted_up_to_the_same_moment(shop: FaultyShop, page: Page) -> None:
    for _ in range(3):
        page.goto(HOME)
        for _ in range(4):
            shop.call("POST", "/shop/session", {})
        page.reload()
        by_status = sum(int(each.replace(",", "")) for each in page.locator("#counts b").all_inner_texts())
        opened = re.search(r"([\d,]+) sessions? opened", page.locator("#flow").inner_text())
        assert opened and int(opened[1].replace(",", "")) == by_status


def test_a_list_over_which_everything_is_well_again_says_that_it_is_old(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    page.goto(f"{LIST}?stuck=yes")
    expect(page.get_by_role("link", name=order)).to_be_visible()
    shop.lift()
    expect(page.locator("#pulse")).to_contain_text("Nothing is stuck")
    expect(page.locator("#news")).to_have_text("1 not in this list any more, show")
    page.locator("#news a").click()
    expect(page.locator("main")).to_contain_text("Nothing is stuck that fits this filter.")


def test_what_was_done_is_said_once(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    page.goto(f"{LIST}/{order}")
    page.locator("summary", has_text="Leave a note").click()
    page.get_by_label("Your note").fill("payment is called")
    page.get_by_role("button", name="Leave a note").click()
    expect(page.locator(".notice.good")).to_have_text("The note was added.")
    expect(page).to_have_url(re.compile(f"{order}$"))
    page.reload()
    expect(page.locator(".facts")).to_be_visible()
    expect(page.locator(".notice.good")).to_have_count(0)
    shop.lift()
    shop.becomes(order, "completed")


def test_money_at_risk_is_what_can_be_lost_and_is_the_same_everywhere(shop: FaultyShop, page: Page) -> None:
    overdue(shop)
    unsupported(shop)
    found = shop.call("GET", "/ops/summary", headers=shop.operator).json()["stuck"]
    assert (found["money_at_risk"], found["money_to_settle"]) == ({}, {"EUR": 1295})
    page.goto(HOME)
    told = "nothing at risk, €12.95 paid and shipped, not settled"
    expect(page.locator("#pulse")).to_contain_text("2 stuck, nothing at risk")
    expect(page.locator(".verdict")).to_contain_text(f"Yes: 2 orders are stuck; {told}")
    by_cause = page.locator("#causes .cause-money")
    assert sorted(by_cause.all_inner_texts()) == ["nothing at risk", "€12.95 to settle"]
    name = "clerk_money_to_settle_minor_units"
    shop.until(lambda: f'{name}{{currency="EUR",kind="overdue"}} 1295.0' in metrics(shop), name)
    assert "clerk_money_at_risk_minor_units{" not in metrics(shop)


def metrics(shop: FaultyShop) -> str:
    return httpx.get(f"{shop.url}/metrics", headers=shop.operator).text
