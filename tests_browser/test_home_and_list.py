"""The home page and the list of Clerks as an operator meets them: find the cause, by hand or by keys, and see news."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, BrowserSessions, OpenPage
from tests_browser.stuck_orders import no_answer

HOME, LIST = "/dashboard", "/dashboard/clerks"
PAGES = [HOME, LIST, f"{LIST}?stuck=yes", f"{LIST}?customer=nobody", f"{LIST}?older_than=x", "/dashboard/keys"]


def test_two_clicks_lead_from_home_to_what_is_stuck(shop: FaultyShop, page: Page) -> None:
    order = no_answer(shop)
    page.goto(HOME)
    expect(page.locator(".verdict")).to_contain_text("Yes:")
    page.locator("#causes summary", has_text="no answer at capture").click()
    page.locator("#causes details[open]").get_by_role("link", name="as a list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stuck Clerks")
    page.get_by_role("link", name=order).click()
    expect(page).to_have_url(re.compile(f"{LIST}/{order}$"))


def test_a_list_says_what_is_new_and_shows_it_when_asked(shop: FaultyShop, page: Page) -> None:
    page.goto(f"{LIST}?status=open")
    rows = page.locator("tbody tr").count()
    for _ in range(3):
        shop.call("POST", "/shop/session", {})
    expect(page.locator("#news")).to_have_text(re.compile(r"3 new.*show"))
    assert page.locator("tbody tr").count() == rows
    page.locator("#news a").click()
    expect(page.locator("tbody tr")).to_have_count(rows + 3)
    expect(page.locator("#news")).to_be_empty()


def test_a_lost_connection_is_said_and_found_again(page: Page) -> None:
    page.goto(HOME)
    expect(page.locator("#pulse")).to_contain_text("checked")
    page.context.set_offline(True)
    expect(page.locator("body:has(#stale:not([hidden])) main")).to_have_css("filter", "grayscale(1)")
    expect(page.locator("#stale")).to_have_text(re.compile(r"Not up to date since \d\d:\d\d UTC. Trying again."))
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_hidden()


@pytest.mark.parametrize(
    "refuse", [lambda route: route.abort(), lambda route: route.fulfill(status=503, body="Too much to do.")]
)
def test_a_page_that_was_told_nothing_from_the_start_says_so_and_asks_again(
    page: Page, sessions: BrowserSessions, refuse: Callable[[Route], None]
) -> None:
    page.route("**/dashboard/live*", refuse, times=1)
    page.goto(HOME)
    expect(page.locator("#stale")).to_be_visible()
    with page.expect_response("**/dashboard/live*") as heard:
        expect(page.locator("#stale")).to_be_hidden()
    assert heard.value.ok
    expect(page.locator("#live")).to_be_empty()
    sessions.forgive("htmx:error")


def test_a_page_lives_though_a_part_of_its_script_comes_late(page: Page) -> None:
    page.route("**/hx-sse*", lambda route: route.fulfill(response=route.fetch()))
    with page.expect_response("**/dashboard/live*"):
        page.goto(HOME)


def test_a_page_to_which_nothing_comes_any_more_says_so(page: Page, sessions: BrowserSessions) -> None:
    page.clock.install()
    page.route("**/dashboard/live*", lambda route: None)
    page.goto(HOME)
    expect(page.locator("#stale")).to_be_hidden()
    page.clock.fast_forward(21_000)
    expect(page.locator("#stale")).to_be_visible()
    sessions.forgive("htmx:error")


def test_everything_can_be_done_with_keys(shop: FaultyShop, page: Page) -> None:
    first, second = (shop.call("POST", "/shop/session", {}).json()["id"] for _ in range(2))
    page.goto(LIST)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=first)).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(f"{first}jk?")
    expect(page.get_by_role("searchbox")).to_have_value(f"{first}jk?")
    page.get_by_role("searchbox").fill(first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{LIST}/{first}$"))
    page.goto(LIST)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{LIST}/clk_"))
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(re.compile(f"{HOME}$"))


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(page: Page) -> None:
    page.goto(LIST)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_without_javascript_filters_pages_and_files_work(shop: FaultyShop, open_page: OpenPage) -> None:
    order = no_answer(shop)
    page = open_page("viewer", javascript=False)
    page.goto(LIST)
    page.locator("select[name=kind]").select_option("no_answer")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("kind=no_answer"))
    expect(page.get_by_role("link", name=order)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert order in download.value.path().read_text()
    page.get_by_role("searchbox").fill(order)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{LIST}/{order}$"))


def test_relative_times_go_on_by_the_servers_clock(page: Page, shop: FaultyShop) -> None:
    shop.call("POST", "/shop/session", {})
    page.goto(LIST)
    opened = page.locator("tbody tr").first.locator("time").first
    before = opened.inner_text()
    assert re.fullmatch(r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", opened.get_attribute("title") or "")
    expect(opened).not_to_have_text(before)
    expect(opened).to_have_text(re.compile(r"^(\d+ s ago|in \d+ s)$"))


@pytest.mark.parametrize("width", [NARROW, 768, 1920])
def test_no_page_is_wider_than_its_screen(shop: FaultyShop, open_page: OpenPage, width: int) -> None:
    no_answer(shop)
    page = open_page(width=width)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_empty_or_full(shop: FaultyShop, open_page: OpenPage, dark: bool) -> None:
    page = open_page(dark=dark)
    for full in (False, True):
        if full:
            no_answer(shop)
        for path in PAGES:
            page.goto(path)
            assert serious_findings(page) == [], path
    nobody = open_page(None, dark=dark)
    nobody.goto("/dashboard/login")
    assert serious_findings(nobody) == []


def test_axe_finds_nothing_serious_on_a_narrow_screen_and_in_the_help(shop: FaultyShop, open_page: OpenPage) -> None:
    page = open_page(width=NARROW)
    page.goto(f"{LIST}?stuck=yes")
    page.locator("summary", has_text="Filter").click()
    assert serious_findings(page) == []
    page.keyboard.press("Escape")
    page.locator("body").press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious_findings(page) == []
