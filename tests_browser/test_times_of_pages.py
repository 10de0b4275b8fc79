"""Every page in the reader's zone: the story, the messages, the axes of charts, and the moments that are typed."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.accessibility import serious_findings
from tests_browser.browser_sessions import NARROW, BrowserSessions, OpenPage
from tests_browser.stuck_orders import no_answer

ZONE = "Asia/Kathmandu"
SPAN = r"\d\d-\d\d \d\d:\d\d"


def test_story_charts_and_typed_moments_are_of_the_readers_zone_and_utc_is_on_hover(
    shop: FaultyShop, sessions: BrowserSessions
) -> None:
    order = no_answer(shop)
    page = sessions.open_page("operator", zone=ZONE)
    page.goto(f"/dashboard/clerks/{order}")
    named = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(page.locator("section:has(#story-title)")).to_contain_text(f"times in {named}")
    line = page.locator(".story time").first
    expect(line).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    moment = line.get_attribute("datetime") or ""
    assert page.evaluate("(at) => clerkTimes.told(at).bare", moment) == line.inner_text() != moment[11:19]
    expect(line).to_have_attribute("title", re.compile(r" UTC$"))
    page.goto("/dashboard/figures?hours=24")
    expect(page.locator(".legend [data-zone-short]")).to_have_text("UTC+5:45")
    expect(page.locator("a[data-says$='became stuck at capture']").first).to_have_attribute(
        "title", re.compile(rf"became stuck at capture, {SPAN} to \d\d:\d\d UTC\+5:45 \({SPAN} to \d\d:\d\d UTC\)$")
    )
    expect(page.locator("svg a[data-says]").first).to_have_attribute(
        "aria-label", re.compile(rf"^{SPAN} UTC\+5:45 \({SPAN} UTC\): \d+ opened, \d+ ended$")
    )
    assert serious_findings(page) == []
    page.goto("/dashboard/clerks")
    page.get_by_label("Opened after").fill("2026-11-30 14:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"created_after=2026-11-30T08%3A15%3A00.000Z$"))
    expect(page.locator(".chip")).to_contain_text("2026-11-30 14:00:00 UTC+5:45")
    expect(page.get_by_label("Opened after")).to_have_value("2026-11-30 14:00")


def test_without_javascript_all_times_are_utc_and_say_so(shop: FaultyShop, open_page: OpenPage) -> None:
    order = no_answer(shop)
    page = open_page("operator", javascript=False, width=NARROW)
    page.goto(f"/dashboard/clerks/{order}")
    expect(page.locator("section:has(#story-title)")).to_contain_text("times in UTC")
    page.goto("/dashboard/figures?hours=24")
    expect(page.locator(".legend [data-zone-short]")).to_have_text("UTC")
    expect(page.locator("section:has(#stuck-hours)")).to_contain_text("Hours are of UTC")
    page.goto("/dashboard/clerks")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Opened before").fill("lately")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_label("Opened before")).to_have_value("lately")
    expect(page.locator(".wrong")).to_contain_text("'lately' is no moment")
