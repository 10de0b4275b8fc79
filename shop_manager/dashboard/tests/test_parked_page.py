"""The pages of parked messages: bytes that cannot harm, and replaying or discarding one or many (O3)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from messaging.parked import ParkedMessage, park
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.engine.tables import technical
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read
from shop_manager.tests.test_operations_parked_acts import parked_command, parked_here

PARKED = "/dashboard/parked"


def decide(browser: BrowserClient, parked: str, action: str, reason: str = "looked at it") -> str:
    form: dict[str, Any] = {"action": action, "reason": reason, "version": browser.version()}
    response = browser.post(f"{PARKED}/{parked}/actions", **form)
    return browser.text(response.headers["location"]) if response.status_code == 303 else visible_text_of(response.text)


def test_without_any_the_list_says_so(viewer: BrowserClient) -> None:
    assert "No message waits for a decision." in viewer.text(PARKED)
    assert "There is none here." in viewer.text(f"{PARKED}?state=discarded")


def test_each_is_listed_with_reason_age_origin_and_leads_to_its_bytes(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    parked = parked_here(harness, b"squeak")
    harness.now += 120_000
    text = viewer.text(PARKED)
    assert "the handler failed" in text and "2 min ago" in text and "shop_manager.replies.v1" in text
    assert f'href="{PARKED}/{parked}"' in viewer.page.text


def test_S10_the_body_is_shown_so_that_nothing_in_it_acts(harness: HttpHarness, viewer: BrowserClient) -> None:
    parked = parked_here(harness, b"<script>alert(1)</script>\x1b[31m\xe2\x80\xae")
    page = viewer.get(f"{PARKED}/{parked}").text
    assert "&lt;script&gt;" in page and "<script>alert" not in page
    assert "\x1b" not in page and "\u202e" not in page and "⟨U+001B⟩" in page and "⟨U+202E⟩" in page
    assert "3c 73 63 72 69 70 74 3e" in page


def test_what_is_no_text_is_shown_as_digits(harness: HttpHarness, viewer: BrowserClient) -> None:
    text = viewer.text(f"{PARKED}/{parked_here(harness, bytes(range(250, 256)))}")
    assert "it is no text" in text and "fa fb fc fd fe ff" in text
    assert "It is empty." in viewer.text(f"{PARKED}/{parked_here(harness, b'')}")


def test_O3_an_operator_replays_one_and_it_says_what_came_of_it(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk, _ = parked_command(harness)
    operator.get(f"{PARKED}/prk_1")
    assert f'href="/dashboard/clerks/{clerk}"' in operator.page.text
    text = decide(operator, "prk_1", "replay", "risk is repaired")
    assert "replayed" in text and "risk is repaired" in text and "now asked: credit, attempt 2" in text
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "parked_message", "until it is answered"
    harness.goes_on_to("AuthorizePayment")
    assert read(harness, f"clerks/{clerk}")["stuck"] is None


def test_B4_a_forged_one_says_who_sent_it_and_offers_no_replay(harness: HttpHarness, operator: BrowserClient) -> None:
    parked = parked_here(harness, b"squeak", forged=True, sender="<b>mallory</b>")
    assert "forged" in operator.text(PARKED)
    text = operator.text(f"{PARKED}/{parked}")
    assert "forged: whoever sent it may not say it" in text and "<b>mallory</b>" in text
    assert "&lt;b&gt;mallory" in operator.page.text
    assert 'value="replay"' not in operator.page.text and 'value="discard"' in operator.page.text
    assert "it can only be discarded" in decide(operator, parked, "replay")
    assert "discarded" in decide(operator, parked, "discard")


def test_what_leads_nowhere_is_refused_and_the_reason_is_kept(harness: HttpHarness, operator: BrowserClient) -> None:
    parked = parked_here(harness, b"squeak")
    operator.get(f"{PARKED}/{parked}")
    text = decide(operator, parked, "replay", "let us see")
    assert "Nothing was done." in text and "so it stays parked" in text and "let us see" in operator.page.text
    assert "Nothing was done." in decide(operator, parked, "discard", " ")
    assert "discarded" in decide(operator, parked, "discard")


def test_O1_a_decision_on_what_has_changed_meanwhile_is_refused(harness: HttpHarness, operator: BrowserClient) -> None:
    parked = parked_here(harness, b"squeak")
    operator.get(f"{PARKED}/{parked}")
    parked_here(harness, b"squeak")
    assert "Nothing was done. it is at version 4" in decide(operator, parked, "discard")
    assert read(harness, f"parked/{parked}")["state"] == "parked"


def test_many_are_decided_together_each_with_its_outcome(harness: HttpHarness, operator: BrowserClient) -> None:
    ids = [parked_here(harness, f"squeak {number}".encode()) for number in range(3)]
    operator.get(PARKED)
    chosen = re.findall(r'name="pick" value="([^"]+)"', operator.page.text)
    assert sorted(each.partition("@")[0] for each in chosen) == sorted(ids)
    parked_here(harness, b"squeak 1")  # again: its version is another one now
    text = visible_text_of(operator.post(f"{PARKED}/actions", action="discard", reason="noise", pick=chosen).text)
    assert text.count("not done") == 1 and text.count("nobody sends it again") == 2
    states = {line["id"]: line["state"] for line in read(harness, "parked")["data"]}
    assert [states[each] for each in ids] == ["discarded", "parked", "discarded"]


def test_choosing_none_is_told_and_the_reason_is_kept(harness: HttpHarness, operator: BrowserClient) -> None:
    parked_here(harness, b"squeak")
    operator.get(PARKED)
    text = visible_text_of(operator.post(f"{PARKED}/actions", action="discard", reason="noise").text)
    assert "choose 1 to 50 messages first" in text and 'value="noise"' in operator.page.text


def test_a_viewer_sees_no_button_and_the_server_refuses_too(harness: HttpHarness, viewer: BrowserClient) -> None:
    parked = parked_here(harness, b"squeak")
    for path in (PARKED, f"{PARKED}/{parked}"):
        page = viewer.get(path)
        assert 'value="discard"' not in page.text and "You may look." in visible_text_of(page.text)
    for path in (f"{PARKED}/actions", f"{PARKED}/{parked}/actions"):
        response = viewer.post(path, action="discard", reason="let me", version="2", pick=f"{parked}@2")
        assert response.status_code == 403
    assert [line["outcome"] for line in read(harness, f"audit?target=parked:{parked}")["data"]] == ["forbidden"] * 2


def test_those_that_wait_are_grouped_by_cause_and_an_admin_acts_on_all_of_one(
    harness: HttpHarness, admin: BrowserClient
) -> None:
    with harness.database.begin() as tx:
        for number in range(3):
            why = f"there is no Clerk clk_{number}"
            message = ParkedMessage("risk", "q", why, None, b"[]", known_as=f"prk_{number}")
            park(tx, technical.parked, [message], harness.now)
    page = admin.get("/dashboard/parked").text
    assert "there is no Clerk clk_…" in page and "Replay all" in page
    lead = unescape(re.findall(r'href="(/dashboard/bulk\?action=replay[^"]*)"', page)[0])
    form = admin.get(lead).text
    assert 'name="parked_reason" value="there is no Clerk clk_…"' in form
    made = admin.post(
        "/dashboard/bulk", action="discard", service="risk", parked_reason="there is no Clerk clk_…", reason="noise"
    )
    assert made.status_code == 303
    assert "Discard parked messages: 3 messages" in admin.text(made.headers["location"])
    operator = BrowserClient(harness).logged_in("operator")
    assert "By cause" in operator.text("/dashboard/parked") and "Replay all" not in operator.page.text
