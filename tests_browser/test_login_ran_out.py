"""A login that runs out while somebody types: nothing is done, nothing typed is lost, and the way leads back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import BrowserSessions, fill_in_login, log_in
from tests_browser.stuck_orders import no_answer
from tests_browser.test_stale_pages import an_hour_passes_for

LIST = "/dashboard/clerks"
WHY = "payment says that it is up again,\nand the provider too: “yes” & <soon>"


@pytest.mark.parametrize("javascript", [True, False])
def test_who_logs_in_again_finds_the_form_as_it_was_and_nothing_was_done(
    shop: FaultyShop, sessions: BrowserSessions, javascript: bool
) -> None:
    order, name = no_answer(shop), f"nina-{javascript}"
    page = sessions.open_page(None, javascript=javascript)
    password = sessions.add_operator(name, "operator")
    log_in(page, name, password)
    page.goto(f"{LIST}/{order}")
    page.locator("details[open] textarea").fill(WHY)
    an_hour_passes_for(shop, name)
    page.locator("details.act[open]").get_by_role("button", name="Ask again now").click()
    expect(page.get_by_role("status").filter(has_text="nothing was done yet")).to_be_visible()
    assert serious_findings(page) == [] if javascript else True
    fill_in_login(page, name, "wrong")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    fill_in_login(page, name, password)
    expect(page.locator(".conflict")).to_contain_text(
        "Nothing was done. Your login had ended; you are logged in again."
    )
    expect(page.locator("#act-retry textarea")).to_have_value(WHY)
    assert not [line for line in shop.timeline(order) if line.get("data", {}).get("by") == name]
    page.goto(page.url)  # the address of an act, asked for again
    expect(page).to_have_url(re.compile(f"{LIST}/{order}$"))
    sessions.forgive("htmx:")


def test_a_refused_acts_address_can_be_asked_for_again(shop: FaultyShop, sessions: BrowserSessions) -> None:
    order = no_answer(shop)
    page = sessions.open_page("operator")
    page.goto(f"{LIST}/{order}")
    page.locator("#act-retry input[name=version]").evaluate("each => { each.value = '1'; }")
    page.locator("details[open] textarea").fill("too late")
    page.locator("details.act[open]").get_by_role("button", name="Ask again now").click()
    expect(page.locator(".conflict")).to_contain_text("Nothing was done.")
    expect(page).to_have_url(re.compile("/actions$"))
    page.goto(page.url)
    expect(page).to_have_url(re.compile(f"{LIST}/{order}$"))
    expect(page.locator(".headline")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_form_of_an_earlier_login_is_sent_again_with_a_button(sessions: BrowserSessions, javascript: bool) -> None:
    """Somebody logs in anew in another tab of the same browser, while a view is being named in this one."""
    page = sessions.open_page("viewer", javascript=javascript)
    page.goto(f"{LIST}?status=processing")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view").fill(f"late ones {javascript}")
    name = f"otto-{javascript}"
    _log_in_anew(page.context.new_page(), name, sessions.add_operator(name, "viewer"))
    page.locator("details").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing was done")).to_be_visible()
    why = f"of an earlier login. Look, and send it once more. You are {name}."
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.locator("main")).to_contain_text(f"late ones {javascript}")
    assert serious_findings(page) == [] if javascript else True
    page.get_by_role("button", name="Send it now").click()
    expect(page).to_have_url(re.compile("status=processing"))
    expect(page.get_by_role("list", name="Saved views")).to_contain_text(f"late ones {javascript}")


def test_who_logs_out_on_a_page_of_an_earlier_login_is_logged_out(sessions: BrowserSessions) -> None:
    page = sessions.open_page("viewer")
    page.goto(LIST)
    _log_in_anew(page.context.new_page(), "orla", sessions.add_operator("orla", "viewer"))
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/dashboard/login$"))
    page.goto(LIST)
    expect(page.get_by_label("Password")).to_be_visible()


def _log_in_anew(page: Page, name: str, password: str) -> None:
    """In place of who is logged in, in the same browser."""
    page.goto("/dashboard")
    page.context.clear_cookies()
    log_in(page, name, password)
    page.close()
