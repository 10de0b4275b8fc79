"""The page of one Clerk: what it tells, what it offers to whom, and what becomes of an act (O1, S9)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.times import days, to_wire
from shop_manager.dashboard.clerk_parts import SHOWN
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.saga.happenings import Note, Operated
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one

CLERKS = "/dashboard/clerks"


def act(browser: BrowserClient, clerk: str, action: str, **fields: str) -> str:
    """Sends the form of the page that was opened last; returns what is then told."""
    form: dict[str, Any] = {"action": action, "reason": "the night shift", "version": browser.version(), **fields}
    response = browser.post(f"{CLERKS}/{clerk}/actions", **form)
    if response.status_code == 303:
        return browser.text(response.headers["location"])
    return visible_text_of(response.text)


def audited(harness: HttpHarness, clerk: str) -> list[tuple[str, str]]:
    lines = read(harness, f"audit?target=clerk:{clerk}")["data"]
    return [(line["action"], line["outcome"]) for line in lines]


def test_the_page_says_in_shop_words_what_is_wrong_whose_move_it_is_and_what_comes_by_itself(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    clerk = stuck_one(harness)
    text = viewer.text(f"{CLERKS}/{clerk}")
    found = read(harness, f"clerks/{clerk}")
    assert found["headline"] in text and "Your move" in text
    [resend] = found["deadlines"]
    assert resend["what"] == "resend" and resend["then"] in text, "nothing more happens at the step's deadline"
    assert "no_answer" in text and found["stuck"]["detail"] in text


def test_the_diagram_shows_the_pivot_and_where_the_order_is(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = stuck_one(harness)
    page = viewer.get(f"{CLERKS}/{clerk}").text
    [here] = re.findall(r'<li class="stop pivot bad[^"]*" aria-current="step">.*?</li>', page, re.DOTALL)
    assert "capture" in here and "pivot: no way back from here" in here


def test_the_timeline_tells_each_step_with_what_it_changed_in_the_document(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    text = viewer.text(f"{CLERKS}/{clerk}")
    assert "risk has done credit" in text and "$.credit.amount" in text and "+ added" in text
    assert text.index("payment was asked to AuthorizePayment") < text.index("risk was asked to ReserveCredit")


def test_an_order_that_failed_says_why_with_or_without_words_for_us_alone(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    clerk = harness.brings_all()["id"]
    harness.answers(harness.goes_on_to("ReserveCredit"), "refused", "credit_exceeded")
    text = viewer.text(f"{CLERKS}/{clerk}")
    assert "It failed at credit: credit_exceeded" in text
    assert viewer.get(f"{CLERKS}/{clerk}").status_code == 200


def test_M3_a_reply_that_was_ignored_is_shown_with_the_reason(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    harness.answers(command)
    harness.answers(command)
    text = viewer.text(f"{CLERKS}/{clerk}")
    assert "A reply of risk was ignored" in text and "Repeated: this step has been answered already" in text


def test_an_unknown_clerk_is_a_page_that_says_so(viewer: BrowserClient) -> None:
    assert viewer.get(f"{CLERKS}/clk_nobody").status_code == 404


def test_a_viewer_sees_no_button_and_the_server_refuses_too(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = stuck_one(harness)
    page = viewer.get(f"{CLERKS}/{clerk}")
    assert f"{clerk}/actions" not in page.text and "You may look." in visible_text_of(page.text)
    response = viewer.post(f"{CLERKS}/{clerk}/actions", action="retry", reason="let me", version="1")
    assert response.status_code == 403
    assert audited(harness, clerk) == [("act", "forbidden")]


def test_O2_an_operator_asks_again_with_a_reason_and_it_goes_on(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = stuck_one(harness)
    operator.get(f"{CLERKS}/{clerk}")
    text = act(operator, clerk, "retry")
    assert "It was asked again; it counts as stuck until it is answered." in text
    assert ", by operator-of-the-night" in text and "the night shift" in text
    assert read(harness, f"clerks/{clerk}")["stuck"] is not None
    assert audited(harness, clerk) == [("retry", "done")]
    harness.goes_on_to("ShipOrder")
    assert read(harness, f"clerks/{clerk}")["stuck"] is None


def test_O1_of_two_operators_one_wins_and_the_other_is_told_who_did_what(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    first, second = (BrowserClient(harness).logged_in("operator", name) for name in ("nora", "nils"))
    for each in (first, second):
        each.get(f"{CLERKS}/{clerk}")
    act(first, clerk, "retry")
    text = act(second, clerk, "settle", step="capture", outcome="done", evidence="seen at the bank")
    assert "Nothing was done." in text and "attempt 2, by nora" in text
    assert "seen at the bank" in second.page.text and "the night shift" in second.page.text, "what was typed is kept"
    assert audited(harness, clerk) == [("settle", "version_conflict"), ("retry", "done")]
    assert "settled by hand" in act(second, clerk, "settle", step="capture", outcome="done", evidence="seen")


@pytest.mark.parametrize(
    ("action", "fields", "text"),
    [
        ("retry", {"reason": "  "}, "a blank text says nothing"),
        ("settle", {"step": "capture", "outcome": "done"}, "settle needs it"),
        ("extend", {"until": "soon"}, "until: 'soon' is no moment: allowed are in 30 minutes, in 2 hours"),
        ("undo", {}, "point of no return"),
        ("bribe", {}, "'retry', 'undo', 'extend', 'settle' or 'note'"),
        ("retry", {"version": "x"}, "which version was seen"),
    ],
)
def test_a_wrong_form_is_told_and_nothing_typed_is_lost(
    harness: HttpHarness, operator: BrowserClient, action: str, fields: dict[str, str], text: str
) -> None:
    clerk = stuck_one(harness)
    operator.get(f"{CLERKS}/{clerk}")
    found = act(operator, clerk, action, **fields)
    assert "Nothing was done." in found and text in found
    assert read(harness, f"clerks/{clerk}")["stuck"] is not None


def test_more_time_is_given_as_the_field_holds_it_and_as_people_say_it(
    harness: HttpHarness, operator: BrowserClient
) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    page = operator.get(f"{CLERKS}/{clerk}").text
    usual = re.search(r'name="until" value="([^"]+ UTC)"', page)
    assert usual and "The deadline was moved." in act(operator, clerk, "extend", until=usual.group(1))
    assert read(harness, f"clerks/{clerk}")["expires_at"] == f"{usual.group(1)[:-4].replace(' ', 'T')}:00.000Z"
    operator.get(f"{CLERKS}/{clerk}")
    assert "The deadline was moved." in act(operator, clerk, "extend", until="in 2 days", zone="Europe/Berlin")
    assert read(harness, f"clerks/{clerk}")["expires_at"] == to_wire(harness.now + days(2))


def test_an_ended_order_offers_a_note_only(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to_the_end()
    page = operator.get(f"{CLERKS}/{clerk}").text
    assert re.findall(r'name="action" value="(\w+)"', page) == ["note"] and page.count("not now") == 4
    assert "The note was added." in act(operator, clerk, "note", reason="all is well")
    assert "all is well" in operator.text(f"{CLERKS}/{clerk}")


def test_S10_whatever_a_customer_calls_himself_is_text(harness: HttpHarness, viewer: BrowserClient) -> None:
    evil = "<img src=x onerror=alert(1)>\u202e"
    eve = {"name": evil, "email": "eve@shop.test", "type": "regular"}
    assert harness.call("PUT", "/shop/customers/eve", SERVER, json=eve).status_code == 200
    clerk = harness.brings_all(SERVER, customer="eve", client_reference="=cmd|'calc'", metadata={"<b>": evil})["id"]
    page = viewer.get(f"{CLERKS}/{clerk}").text
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "\u202e" not in page and "⟨U+202E⟩" in page


def test_a_page_listens_for_changes_after_the_version_it_shows(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    page = viewer.get(f"{CLERKS}/{clerk}").text
    assert f'hx-sse:connect="/dashboard/live?of=clerk&amp;id={clerk}&amp;version=2&amp;told=title' in page


def test_a_long_story_shows_its_end_and_the_way_to_the_rest(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    for number in range(210):
        harness.manager.execute(clerk, Operated(Note(f"call {number}"), "nora", "it rings"))
    text = viewer.text(f"{CLERKS}/{clerk}")
    assert text.count("Note, by nora") == SHOWN and "Show the 12 earlier lines too" in text
    text = viewer.text(f"{CLERKS}/{clerk}?story=whole")
    assert text.count("Note, by nora") == 210 and "The session was opened" in text and "earlier lines" not in text
