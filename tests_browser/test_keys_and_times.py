"""Home on one screen, keys to every act, ids that are copied, and times as the reader has chosen them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, WIDE, BrowserSessions, OpenPage, log_in
from tests_browser.stuck_orders import no_answer, overdue, parked_message

HOME, LIST = "/dashboard", "/dashboard/clerks"
LOWEST, LONGEST = 800, 2500
"""Pixels that the home page may be high: on a screen of 1280, and on a telephone."""
HIGH_WITH = """(causes) => {
  const all = document.querySelector(".causes");
  while (all.children.length < causes) all.append(all.firstElementChild.cloneNode(true));
  return all.children.length === causes ? document.documentElement.scrollHeight : 0;
}"""
"""How high the page is with so many lines of causes, whatever is stuck in the shop."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_home_with_five_causes_fits_one_screen_and_with_six_three_of_a_telephone(
    shop: FaultyShop, open_page: OpenPage, dark: bool
) -> None:
    overdue(shop)
    no_answer(shop)
    for width, causes, most in ((WIDE, 5, LOWEST), (NARROW, 6, LONGEST)):
        page = open_page("admin", width=width, dark=dark)
        page.goto(HOME)
        expect(page.locator(".strip > ul > li")).to_have_count(5)
        assert 0 < page.evaluate(HIGH_WITH, causes) <= most
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.reload()
        page.locator(".causes summary").first.click()
        expect(page.locator(".cause-words").first).to_be_visible()
        assert serious_findings(page) == []


def test_without_javascript_a_cause_unfolds_and_act_leads_on(shop: FaultyShop, open_page: OpenPage) -> None:
    no_answer(shop)
    page = open_page("operator", javascript=False)
    page.goto(HOME)
    expect(page.locator("#pulse")).to_contain_text("UTC")
    line = page.locator(".causes > li", has_text="no answer at capture")
    line.locator("summary").click()
    expect(line).to_contain_text("payment has not answered capture")
    expect(page.locator("button.copy:visible")).to_have_count(0)
    line.get_by_role("link", name="Act on").click()
    expect(page).to_have_url(re.compile(f"{LIST}[/?]"))


def test_three_keys_lead_from_home_to_an_act_and_to_every_page(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    page.goto(HOME)
    page.keyboard.press("j")
    expect(page.locator(".causes summary").first).to_be_focused()
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile(f"{LIST}[/?]|/parked"))
    for key, field in (("n", "note"), ("r", "retry")):
        page.goto(f"{LIST}/{order}")
        page.keyboard.press("a")
        page.keyboard.press(key)
        form = page.locator(f"#act-{field}")
        expect(form).to_have_attribute("open", "")
        expect(form.locator("textarea")).to_be_focused()
    page.keyboard.type("ajgl")
    expect(form.locator("textarea")).to_have_value("ajgl")
    for key, path in (("l", "clerks"), ("p", "parked"), ("f", "figures"), ("u", "audit"), ("h", "")):
        page.locator("h1").first.click()
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(f"/dashboard/?{path}$"))


def test_a_parked_message_is_chosen_and_its_act_begun_with_three_keys(shop: FaultyShop, page: Page) -> None:
    parked_message(shop)
    page.goto("/dashboard/parked")
    for key in "jx":
        page.keyboard.press(key)
    expect(page.locator("input[name=pick]").first).to_be_checked()
    page.keyboard.press("a")
    expect(page.get_by_label("Why?")).to_be_focused()


def test_an_id_is_copied_as_a_whole(shop: FaultyShop, page: Page) -> None:
    parked_message(shop)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/dashboard/parked")
    copy = page.locator("button.copy").first
    whole = copy.get_attribute("data-copy")
    assert whole and whole.startswith("clk_")
    copy.click()
    expect(page.locator("#said")).to_have_text(f"copied {whole}")
    assert page.evaluate("navigator.clipboard.readText()") == whole


def test_times_are_local_with_utc_on_hover_unless_the_operator_chooses_utc(
    shop: FaultyShop, sessions: BrowserSessions
) -> None:
    no_answer(shop)
    password = sessions.add_operator("night-in-kathmandu", "viewer")
    page = sessions.open_page(None, zone="Asia/Kathmandu")
    log_in(page, "night-in-kathmandu", password)
    since = page.locator(".verdict time").first
    expect(since).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+5:45$"))
    expect(since).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(page.locator("#pulse time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d UTC\+5:45$"))
    age = page.locator(".cause-age time").first
    expect(age).to_have_attribute("title", re.compile(r" UTC\+5:45, .* UTC$"))
    page.goto("/dashboard/settings")
    page.get_by_label("UTC", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice.good")).to_be_visible()
    page.goto(HOME)
    expect(since).to_have_text(re.compile(r"\d\d:\d\d:\d\d UTC$"))
    expect(age).to_have_attribute("title", re.compile(r"^[^,]* UTC$"))
