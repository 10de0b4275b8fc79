"""Logging in and out with a real browser, its cookies and its own headers."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests_browser.browser_sessions import BrowserSessions, OpenPage, log_in


def test_an_operator_logs_in_is_led_to_the_page_that_was_asked_for_and_logs_out(sessions: BrowserSessions) -> None:
    password = sessions.add_operator("nora", "operator")
    page = sessions.open_page(None)
    page.goto("/dashboard/keys")
    expect(page).to_have_url(re.compile(r"/dashboard/login\?next="))
    page.get_by_label("Name").fill("nora")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dashboard/keys$"))
    expect(page.get_by_role("banner")).to_contain_text("nora operator")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/dashboard/login$"))
    page.goto("/dashboard")
    expect(page).to_have_url(re.compile(r"/dashboard/login$"))


def test_a_wrong_password_says_so_and_keeps_the_name(sessions: BrowserSessions) -> None:
    page = sessions.open_page(None)
    page.goto("/dashboard/login")
    page.get_by_label("Name").fill("nobody-of-ours")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    expect(page.get_by_label("Name")).to_have_value("nobody-of-ours")
    expect(page.get_by_label("Password")).to_be_focused()


def test_a_first_login_chooses_another_password_and_nothing_sticks_together(sessions: BrowserSessions) -> None:
    page = sessions.open_page(None)
    password = sessions.add_operator("ned", "viewer", must_change=True)
    page.goto("/dashboard/login")
    page.get_by_label("Name").fill("ned")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
    assert distance_to_the_right_edge(page.get_by_role("button", name="Log out")) < 40
    page.get_by_label("Password until now").fill(password)
    page.get_by_label("New password", exact=True).fill("a lamp on a table")
    page.get_by_label("New password again").fill("a lamp on a table")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is anything stuck?")).to_be_visible()
    page.goto("/dashboard/password")
    button, text = (
        page.get_by_role("button", name="Change it").bounding_box(),
        page.get_by_text("Your key").bounding_box(),
    )
    assert button and text and text["y"] - (button["y"] + button["height"]) > 8


def distance_to_the_right_edge(place: Locator) -> float:
    """In pixels."""
    box, size = place.bounding_box(), place.page.viewport_size
    assert box and size
    return size["width"] - (box["x"] + box["width"])


def test_it_works_without_javascript(sessions: BrowserSessions) -> None:
    page = sessions.open_page(None, javascript=False)
    log_in(page, "nils", sessions.add_operator("nils", "viewer"))
    expect(page.get_by_role("heading", name="Is anything stuck?")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/dashboard/login$"))


def test_S8_no_script_of_the_page_can_read_the_cookie(page: Page) -> None:
    page.goto("/dashboard")
    assert page.context.cookies()[0]["name"] == "clerk_login"
    assert page.evaluate("document.cookie") == ""


def test_S8_another_page_cannot_send_our_forms(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/dashboard")
    token = page.locator("input[name=csrf]").first.get_attribute("value")
    url = page.url
    other = page.context.new_page()
    other.goto("about:blank")
    other.set_content(
        f'<form action="{url}/logout" method="post"><input name="csrf" value="{token}"><button>go</button></form>'
    )
    other.get_by_role("button").click()
    expect(other).to_have_url(re.compile("/dashboard$"))  # logged in still: the login page leads back
    page.reload()
    expect(page.get_by_role("banner")).to_contain_text("operator-of-the-night")
