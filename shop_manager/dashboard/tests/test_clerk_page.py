"""The page of one Clerk: what it tells, what it offers to whom, and what becomes of an act (O1, S9)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shop_manager.dashboard.clerk_page import SHOWN
from shop_manager.dashboard.tests.visitor import Visitor, words_of
from shop_manager.happenings import Note, Operated
from shop_manager.tests.house import SERVER, House
from shop_manager.tests.test_ops import read, stuck_one

CLERKS = "/dashboard/clerks"


def act(visitor: Visitor, clerk: str, action: str, **fields: str) -> str:
    """Sends the form of the page that was opened last; returns what is then told."""
    seen = re.search(r'name="version" value="(\d+)"', visitor.page.text)
    form: dict[str, Any] = {
        "action": action,
        "reason": "the night shift",
        "version": seen.group(1) if seen else "1",
        **fields,
    }
    answer = visitor.post(f"{CLERKS}/{clerk}/actions", **form)
    if answer.status_code == 303:
        return visitor.text(answer.headers["location"])
    return words_of(answer.text)


def audited(house: House, clerk: str) -> list[tuple[str, str]]:
    lines = read(house, f"audit?target=clerk:{clerk}")["data"]
    return [(line["action"], line["outcome"]) for line in lines]


def test_the_page_says_in_shop_words_what_is_wrong_whose_move_it_is_and_what_comes_by_itself(
    house: House, viewer: Visitor
) -> None:
    clerk = stuck_one(house)
    told = viewer.text(f"{CLERKS}/{clerk}")
    found = read(house, f"clerks/{clerk}")
    assert found["headline"] in told and "Your move" in told
    assert all(each["then"] in told for each in found["deadlines"] if "nothing" not in each["then"])
    assert "no_answer" in told and found["stuck"]["detail"] in told


def test_the_way_is_drawn_with_the_pivot_and_where_the_order_is(house: House, viewer: Visitor) -> None:
    clerk = stuck_one(house)
    page = viewer.get(f"{CLERKS}/{clerk}").text
    [here] = re.findall(r'<li class="stop pivot bad[^"]*" aria-current="step">.*?</li>', page, re.DOTALL)
    assert "capture" in here and "pivot: no way back from here" in here


def test_the_story_tells_each_step_with_what_it_changed_in_the_document(house: House, viewer: Visitor) -> None:
    clerk = house.brings_all()["id"]
    house.goes_on_to("AuthorizePayment")
    told = viewer.text(f"{CLERKS}/{clerk}")
    assert "risk has done credit" in told and "$.credit.amount" in told and "+ added" in told
    assert told.index("payment was asked to AuthorizePayment") < told.index("risk was asked to ReserveCredit")


def test_M3_a_reply_that_was_ignored_is_shown_with_the_reason(house: House, viewer: Visitor) -> None:
    clerk = house.brings_all()["id"]
    command = house.goes_on_to("ReserveCredit")
    house.answers(command)
    house.answers(command)
    told = viewer.text(f"{CLERKS}/{clerk}")
    assert "A reply of risk was ignored" in told and "Repeated: this step has been answered already" in told


def test_an_unknown_clerk_is_a_page_that_says_so(viewer: Visitor) -> None:
    assert viewer.get(f"{CLERKS}/clk_nobody").status_code == 404


def test_a_viewer_sees_no_button_and_the_server_refuses_too(house: House, viewer: Visitor) -> None:
    clerk = stuck_one(house)
    page = viewer.get(f"{CLERKS}/{clerk}")
    assert f"{clerk}/actions" not in page.text and "You may look." in words_of(page.text)
    answer = viewer.post(f"{CLERKS}/{clerk}/actions", action="retry", reason="let me", version="1")
    assert answer.status_code == 403
    assert audited(house, clerk) == [("act", "forbidden")]


def test_O2_an_operator_asks_again_with_a_reason_and_it_goes_on(house: House, operator: Visitor) -> None:
    clerk = stuck_one(house)
    operator.get(f"{CLERKS}/{clerk}")
    told = act(operator, clerk, "retry")
    assert "It was asked again." in told and ", by operator-of-the-night" in told and "the night shift" in told
    assert read(house, f"clerks/{clerk}")["stuck"] is None
    assert audited(house, clerk) == [("retry", "done")]


def test_O1_of_two_operators_one_wins_and_the_other_is_told_who_did_what(house: House) -> None:
    clerk = stuck_one(house)
    first, second = (Visitor(house).logged_in("operator", name) for name in ("nora", "nils"))
    for each in (first, second):
        each.get(f"{CLERKS}/{clerk}")
    act(first, clerk, "retry")
    told = act(second, clerk, "settle", step="capture", outcome="done", evidence="seen at the bank")
    assert "Nothing was done." in told and "attempt 2, by nora" in told
    assert "seen at the bank" in second.page.text and "the night shift" in second.page.text, "what was typed is kept"
    assert audited(house, clerk) == [("settle", "version_conflict"), ("retry", "done")]
    assert "settled by hand" in act(second, clerk, "settle", step="capture", outcome="done", evidence="seen")


@pytest.mark.parametrize(
    ("action", "fields", "told"),
    [
        ("retry", {"reason": "  "}, "a blank text says nothing"),
        ("settle", {"step": "capture", "outcome": "done"}, "settle needs it"),
        ("extend", {"until": "soon"}, "an RFC 3339 time"),
        ("undo", {}, "point of no return"),
        ("bribe", {}, "'retry', 'undo', 'extend', 'settle' or 'note'"),
        ("retry", {"version": "x"}, "which version was seen"),
    ],
)
def test_a_wrong_form_is_told_and_nothing_typed_is_lost(
    house: House, operator: Visitor, action: str, fields: dict[str, str], told: str
) -> None:
    clerk = stuck_one(house)
    operator.get(f"{CLERKS}/{clerk}")
    found = act(operator, clerk, action, **fields)
    assert "Nothing was done." in found and told in found
    assert read(house, f"clerks/{clerk}")["stuck"] is not None


def test_more_time_is_given_in_utc_as_the_field_holds_it(house: House, operator: Visitor) -> None:
    clerk = house.brings_all()["id"]
    house.goes_on_to("AuthorizePayment")
    page = operator.get(f"{CLERKS}/{clerk}").text
    usual = re.search(r'name="until" type="datetime-local" required value="([^"]+)"', page)
    assert usual and "The deadline was moved." in act(operator, clerk, "extend", until=usual.group(1))
    assert read(house, f"clerks/{clerk}")["expires_at"] == f"{usual.group(1)}:00.000Z"


def test_an_ended_order_offers_a_note_only(house: House, operator: Visitor) -> None:
    clerk = house.brings_all()["id"]
    house.goes_on_to_the_end()
    page = operator.get(f"{CLERKS}/{clerk}").text
    assert re.findall(r'name="action" value="(\w+)"', page) == ["note"] and page.count("not now") == 4
    assert "The note was added." in act(operator, clerk, "note", reason="all is well")
    assert "all is well" in operator.text(f"{CLERKS}/{clerk}")


def test_S10_whatever_a_customer_calls_himself_is_text(house: House, viewer: Visitor) -> None:
    evil = "<img src=x onerror=alert(1)>\u202e"
    eve = {"name": evil, "email": "eve@shop.test", "type": "regular"}
    assert house.call("PUT", "/shop/customers/eve", SERVER, json=eve).status_code in (200, 201)
    clerk = house.brings_all(SERVER, customer="eve", client_reference="=cmd|'calc'", metadata={"<b>": evil})["id"]
    page = viewer.get(f"{CLERKS}/{clerk}").text
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "\u202e" not in page and "⟨U+202E⟩" in page


def test_a_page_listens_for_changes_after_the_version_it_shows(house: House, viewer: Visitor) -> None:
    clerk = house.brings_all()["id"]
    page = viewer.get(f"{CLERKS}/{clerk}").text
    assert f'hx-sse:connect="/dashboard/live?of=clerk&amp;id={clerk}&amp;version=2"' in page


def test_a_long_story_shows_its_end_and_the_way_to_the_rest(house: House, viewer: Visitor) -> None:
    clerk = house.brings_all()["id"]
    for number in range(210):
        house.manager.wish(clerk, Operated(Note(f"call {number}"), "nora", "it rings"))
    told = viewer.text(f"{CLERKS}/{clerk}")
    assert told.count("Note, by nora") == SHOWN and "Show the 12 earlier lines too" in told
    told = viewer.text(f"{CLERKS}/{clerk}?story=whole")
    assert told.count("Note, by nora") == 210 and "The session was opened" in told and "earlier lines" not in told
