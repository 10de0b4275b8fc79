"""The page of what happened: sentences, filters in the address, the hours side by side, and what is new."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from domain.times import minutes, to_wire
from shop_manager.dashboard import live
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.dashboard.tests.test_live import Stream, heard
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_activity import settled

PAGE = "/dashboard/activity"


def test_what_happened_is_told_in_sentences_that_lead_on(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert "Nothing has happened yet" in viewer.text(PAGE)
    clerk = stuck_at_capture(harness)
    harness.now += minutes(3)
    settled(harness, clerk)
    text = viewer.text(PAGE)
    assert "no answer at capture payment has not answered in time" in text
    assert "settled by day after 3 min of no answer at capture" in text
    assert "settle, by day the provider is well again" in text
    assert len(re.findall(f'href="/dashboard/clerks/{clerk}"[^>]* data-line', viewer.page.text)) == 3


def test_the_hours_stand_side_by_side_and_lead_to_their_lines(harness: HttpHarness, viewer: BrowserClient) -> None:
    stuck_at_capture(harness)
    text = viewer.text(PAGE)
    assert re.search(r"1 ?became stuck 0 before, \+1", text), text
    assert "0 in the hour before: 1 more" in text and "0 in the hour before: as many" in text
    assert 'href="/dashboard/activity?kind=stuck&amp;hours=1"' in viewer.page.text


def test_filters_are_in_the_address_and_in_the_form(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = stuck_at_capture(harness)
    for query, fits in (("kind=stuck&service=payment&step=capture&cause=no_answer&hours=1", True), ("kind=act", False)):
        assert (clerk in viewer.text(f"{PAGE}?{query}")) is fits, query
    since = to_wire(harness.now - 60_000)
    assert clerk in viewer.text(f"{PAGE}?since={since}")
    assert f'value="{since}"' in viewer.page.text
    assert clerk not in viewer.text(f"{PAGE}?until={since}")
    assert "of=activity" not in viewer.page.text, "what is over changes no more"


def test_moments_are_typed_as_people_do_and_stand_in_the_address_as_rfc_3339(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    led = viewer.get(f"{PAGE}?kind=&since=2+hours+ago&until=&zone=Europe/Berlin")
    since = to_wire(harness.now - 2 * 3_600_000)
    assert (led.status_code, led.headers["location"]) == (303, f"{PAGE}?since={quote(since, safe='')}")


def test_what_is_wrong_in_the_form_or_the_address_is_said_in_its_place_and_nothing_is_shown(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    clerk = stuck_at_capture(harness)
    wrong = viewer.get(f"{PAGE}?kind=other&until=soon&who={'x' * 201}&steps=capture")
    assert wrong.status_code == 422
    text = visible_text_of(wrong.text)
    for said in (
        "allowed are stuck",
        "'soon' is no moment",
        "at most 200 characters",
        "steps: there is no such filter",
    ):
        assert said in text, said
    assert 'name="until" value="soon"' in wrong.text and clerk not in wrong.text


def test_pages_follow_each_other_with_the_filter_kept(harness: HttpHarness, viewer: BrowserClient) -> None:
    for _ in range(26):
        settled(harness, stuck_at_capture(harness))
    found = viewer.get(f"{PAGE}?step=capture")
    [following] = re.findall(r'rel="next" href="([^"]+)"', found.text)
    older = viewer.get(following.replace("&amp;", "&"))
    assert older.text.count("data-line") == 3 * 26 - 50 and 'href="/dashboard/activity?step=capture"' in older.text


def test_an_open_page_hears_how_much_is_new_and_the_hours_as_they_are(
    harness: HttpHarness, viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)
    [path] = re.findall(r'hx-sse:connect="([^"]+)"', viewer.get(f"{PAGE}?kind=stuck").text)

    def two_become_stuck(_: Stream) -> None:
        stuck_at_capture(harness)
        stuck_at_capture(harness)

    path = path.replace("&amp;", "&")
    stream = heard(viewer, path, two_become_stuck, until=lambda stream: "2 new" in stream.messages[-1])
    told = stream.messages[-1]
    assert re.search(r'hx-target="#news".*href="/dashboard/activity\?kind=stuck">2 new, show<', told, re.DOTALL)
    assert re.search(r'hx-target="#hours".*<b>2</b>', told, re.DOTALL)
    assert "<tr" not in "".join(stream.messages), "no line is moved"


def test_home_says_what_became_stuck_and_healed_in_the_last_hour(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert "In the last hour: 0 became stuck, 0 healed" in viewer.text("/dashboard")
    settled(harness, stuck_at_capture(harness))
    stuck_at_capture(harness)
    assert "In the last hour: 2 became stuck, 1 healed" in viewer.text("/dashboard")
    assert 'href="/dashboard/activity?kind=healed&amp;hours=1"' in viewer.page.text
