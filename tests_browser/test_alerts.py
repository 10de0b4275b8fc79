"""An admin sends a test alert from the page, and sees what became of it without loading the page again."""

from __future__ import annotations

from playwright.sync_api import expect

from shop_manager.alerts.tests.receivers import HttpReceiver
from tests_browser.browser_sessions import OpenPage


def test_a_test_alert_arrives_and_the_open_page_tells_so(open_page: OpenPage, receiver: HttpReceiver) -> None:
    before = len(receiver.received)
    page = open_page("admin")
    page.goto("/dashboard")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts").click()
    page.get_by_role("button", name="Send a test alert").click()
    expect(page.locator("#sent")).to_contain_text("webhook: arrived")
    expect(page.locator("tr", has_text="test alert").first).to_contain_text("arrived")
    expect(page.locator("#channels tr").last).not_to_contain_text("nothing yet")
    expect(page.locator("#channels td[data-label=Waiting]")).to_have_text("0")
    assert [each["what"] for each in receiver.alerts[before:]] == ["test"]


def test_one_that_does_not_arrive_says_why_and_is_sent_again(open_page: OpenPage, receiver: HttpReceiver) -> None:
    page = open_page("admin")
    receiver.status = 503
    page.goto("/dashboard/alerts")
    page.get_by_role("button", name="Send a test alert").click()
    expect(page.locator("#sent")).to_contain_text("webhook: given up it answered 503")
    receiver.status = 204
    page.reload()
    page.get_by_role("button", name="Send again").first.click()
    expect(page.locator("#sent")).to_contain_text("webhook: arrived")
