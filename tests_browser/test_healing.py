"""An operator at night: from the home page to the cause and to the repair, for each way to be stuck, one or fifty."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.browser_sessions import OpenPage
from tests_browser.stuck_orders import SETTLED, no_answer

CLERKS = "/dashboard/clerks"
WHY = "Why? It stays in the audit."


def act_button(page: Page, name: str) -> Locator:
    return page.locator("details.act[open]").get_by_role("button", name=name)


def act(page: Page, name: str) -> None:
    act_button(page, name).click()


def open_act(page: Page, action: str) -> None:
    if page.locator(f"#act-{action}").get_attribute("open") is None:
        page.locator(f"#act-{action} > summary").click()


def test_a_click_to_the_order_and_two_to_the_repair(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    clicks = 0

    def click(element: Locator) -> None:
        nonlocal clicks
        element.click()
        clicks += 1

    page.goto("/dashboard")
    click(page.get_by_role("link", name="no answer at capture"))  # of a single order it leads there at once
    expect(page).to_have_url(re.compile(order))
    expect(page.get_by_role("heading", level=1)).to_contain_text("payment has been silent for")
    expect(page.locator(".desk-side")).to_contain_text("payment has not answered in time")
    page.get_by_label(WHY).and_(page.locator("details[open] textarea")).fill("payment says it is up again")
    click(act_button(page, "Ask again now"))
    expect(page.locator(".notice.good")).to_contain_text("It was asked again; it counts as stuck until it is answered.")
    assert clicks == 2
    shop.lift()
    shop.becomes(order, "completed")


@pytest.mark.parametrize("kind", SETTLED)
def test_each_way_to_be_stuck_is_shown_explained_and_healed_by_hand(shop: FaultyShop, page: Page, kind: str) -> None:
    case = SETTLED[kind]
    order = case.make(shop)
    page.goto(f"{CLERKS}?stuck=yes&kind={kind}")
    page.get_by_role("link", name=order).click()
    found = shop.stuck(order) or {}
    expect(page.locator(".way [aria-current=step]")).to_contain_text(found["step"])
    expect(page.locator(".desk-side")).to_contain_text("Your move")
    expect(page.locator(".story .line.bad").first).to_contain_text(f"Stuck at {found['step']}")
    for _ in range(20):  # while it is asked again and again its version goes on, and one is told
        open_act(page, "settle")
        settle = page.locator("#act-settle")
        choice = settle.get_by_label("was in truth")
        if choice.count():
            choice.select_option(case.outcome)
        else:  # one outcome is no choice
            expect(settle).to_contain_text(
                f"{found['step']} was in truth {'done' if case.outcome == 'done' else 'undone'}"
            )
        settle.get_by_label("Evidence").fill("we have called them")
        settle.get_by_label(WHY).fill("so that it goes on")
        with page.expect_navigation():  # else one looks at the page that one leaves
            settle.get_by_role("button", name="Settle by hand").click()
        if page.locator(".notice.good").is_visible():
            break
    expect(page.locator(".notice.good")).to_have_text("The step was settled by your word.")
    shop.lift()
    shop.until(lambda: shop.session(order)["status"] in case.ends, f"one of {case.ends}")
    page.goto(f"{CLERKS}/{order}")
    expect(page.locator(".story")).to_contain_text("settled by hand")


def test_O1_of_two_operators_one_wins_and_the_other_is_told_with_what_he_typed(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    order = no_answer(shop)
    first, second = open_page("operator"), open_page("admin")
    for each in (first, second):
        each.goto(f"{CLERKS}/{order}")
        each.locator("details[open] textarea").fill(f"tried by {'one' if each is first else 'two'}")
    act(first, "Ask again now")
    expect(first.locator(".notice.good")).to_be_visible()
    act(second, "Ask again now")
    expect(second.locator(".conflict")).to_contain_text("Nothing was done.")
    expect(second.locator(".conflict")).to_contain_text("attempt 2, by operator-of-the-night: tried by one")
    expect(second.locator("#act-retry textarea")).to_have_value("tried by two")


def test_fifty_are_repaired_in_bulk_with_a_preview_a_pace_and_each_outcome(
    shop: FaultyShop, open_page: OpenPage
) -> None:
    shop.put("payment", "pause", step="capture")
    orders = [shop.order() for _ in range(50)]
    for order in orders:
        shop.is_stuck(order, "no_answer")
    page = open_page("admin")
    page.goto(f"{CLERKS}?stuck=yes&kind=no_answer")
    page.get_by_role("link", name="Act on all of these").click()
    page.get_by_label("Why?").fill("payment is repaired")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask again now: 50 orders, €647.50 in all")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_label("How many a minute").fill("1200")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#progress")).to_contain_text("finished Of 50: 50 still stuck", timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator("tbody .tag.bad")).to_have_count(50)
    assert all(shop.stuck(order) for order in orders), "to be asked again heals nothing"
    shop.lift()
    for order in orders:
        shop.becomes(order, "completed")


def test_without_javascript_everything_is_found_and_healed(shop: FaultyShop, open_page: OpenPage) -> None:
    no_answer(shop)
    page = open_page("operator", javascript=False)
    page.goto("/dashboard")
    page.get_by_role("link", name="no answer at capture").click()
    page.locator("details[open] textarea").fill("by hand, without a script")
    act(page, "Ask again now")
    expect(page.locator(".notice.good")).to_contain_text("It was asked again; it counts as stuck until it is answered.")
    page.goto("/dashboard/audit")
    expect(page.locator("tbody tr").first).to_contain_text("by hand, without a script")


def test_a_parked_message_is_read_without_harm_and_discarded(shop: FaultyShop, page: Page) -> None:
    shop.send_raw("risk", b'{"x": "<img src=x onerror=alert(1)>\xe2\x80\xae\x1b[2J')
    shop.until(lambda: shop.call("GET", "/ops/parked?state=parked", None, shop.operator).json()["data"] != [], "parked")
    page.goto("/dashboard/parked")
    page.get_by_role("link", name="body is not UTF-8 JSON").first.click()
    expect(page.locator(".bytes")).to_contain_text("<img src=x onerror=alert(1)>⟨U+202E⟩⟨U+001B⟩[2J")
    page.get_by_label(WHY).fill("noise from a test")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".pairs")).to_contain_text("discarded")
    expect(page.locator(".pairs")).to_contain_text("noise from a test")


def test_all_of_an_open_order_changes_together_and_what_is_typed_stays(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    page.goto(f"{CLERKS}/{order}")
    expect(page).to_have_title(re.compile("Stuck: "))
    lines = page.locator(".story .line").count()
    open_act(page, "settle")
    settle = page.locator("#act-settle")
    settle.get_by_label("Evidence").fill("their ledger has it")
    settle.get_by_label(WHY).fill("the customer is on the telephone")
    seen = settle.locator("[name=version]").input_value()
    shop.lift()
    expect(page.locator("#news")).to_contain_text(re.compile(r"\d+ changes? since you opened this page"))
    expect(page.locator(".facts")).to_contain_text("completed")
    expect(page.get_by_role("heading", level=1)).to_contain_text("the order is complete")
    expect(page).to_have_title(re.compile(f"^{order}"))
    assert page.locator(".story .line").count() > lines and page.locator(".story .tag.busy").count() > 0
    expect(page.locator("#slot-retry")).to_contain_text("the order has ended")
    expect(page.locator("#slot-claim")).to_be_empty()
    assert settle.get_by_label(WHY).input_value() == "the customer is on the telephone"
    expect(settle.get_by_label(WHY)).to_be_focused()
    assert settle.locator("[name=version]").input_value() == seen, "the act is held against what was seen"
    expect(settle.locator(".newer")).to_contain_text(
        re.compile("The order has changed.*As it is now: .*the order has ended")
    )
    settle.get_by_role("button").click()
    expect(page.locator(".conflict")).to_contain_text("Nothing was done.")
