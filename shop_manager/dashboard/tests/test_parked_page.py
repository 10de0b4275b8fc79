"""The pages of parked messages: bytes that cannot harm, and replaying or discarding one or many (O3)."""

from __future__ import annotations

import re
from typing import Any

from shop_manager.dashboard.tests.visitor import Visitor, words_of
from shop_manager.tests.house import House
from shop_manager.tests.test_operations_parked import parked_command, parked_here
from shop_manager.tests.test_ops import read

PARKED = "/dashboard/parked"


def decide(visitor: Visitor, parked: str, action: str, reason: str = "looked at it") -> str:
    seen = re.search(r'name="version" value="(\d+)"', visitor.page.text)
    form: dict[str, Any] = {"action": action, "reason": reason, "version": seen.group(1) if seen else "1"}
    answer = visitor.post(f"{PARKED}/{parked}/actions", **form)
    return visitor.text(answer.headers["location"]) if answer.status_code == 303 else words_of(answer.text)


def test_without_any_the_list_says_so(viewer: Visitor) -> None:
    assert "No message waits for a decision." in viewer.text(PARKED)
    assert "There is none here." in viewer.text(f"{PARKED}?state=discarded")


def test_each_is_listed_with_reason_age_origin_and_leads_to_its_bytes(house: House, viewer: Visitor) -> None:
    parked = parked_here(house, b"squeak")
    house.now += 120_000
    told = viewer.text(PARKED)
    assert "the handler failed" in told and "2 min ago" in told and "shop_manager.replies.v1" in told
    assert f'href="{PARKED}/{parked}"' in viewer.page.text


def test_S10_the_body_is_shown_so_that_nothing_in_it_acts(house: House, viewer: Visitor) -> None:
    parked = parked_here(house, b"<script>alert(1)</script>\x1b[31m\xe2\x80\xae")
    page = viewer.get(f"{PARKED}/{parked}").text
    assert "&lt;script&gt;" in page and "<script>alert" not in page
    assert "\x1b" not in page and "\u202e" not in page and "⟨U+001B⟩" in page and "⟨U+202E⟩" in page
    assert "3c 73 63 72 69 70 74 3e" in page


def test_what_is_no_text_is_shown_as_digits(house: House, viewer: Visitor) -> None:
    told = viewer.text(f"{PARKED}/{parked_here(house, bytes(range(250, 256)))}")
    assert "it is no text" in told and "fa fb fc fd fe ff" in told
    assert "It is empty." in viewer.text(f"{PARKED}/{parked_here(house, b'')}")


def test_O3_an_operator_replays_one_and_it_says_what_came_of_it(house: House, operator: Visitor) -> None:
    clerk, _ = parked_command(house)
    operator.get(f"{PARKED}/prk_1")
    assert f'href="/dashboard/clerks/{clerk}"' in operator.page.text
    told = decide(operator, "prk_1", "replay", "risk is repaired")
    assert "replayed" in told and "risk is repaired" in told and "now asked: credit, attempt 2" in told
    assert read(house, f"clerks/{clerk}")["stuck"] is None


def test_what_leads_nowhere_is_refused_and_the_reason_is_kept(house: House, operator: Visitor) -> None:
    parked = parked_here(house, b"squeak")
    operator.get(f"{PARKED}/{parked}")
    told = decide(operator, parked, "replay", "let us see")
    assert "Nothing was done." in told and "would be parked again" in told and "let us see" in operator.page.text
    assert "Nothing was done." in decide(operator, parked, "discard", " ")
    assert "discarded" in decide(operator, parked, "discard")


def test_O1_a_decision_on_what_has_changed_meanwhile_is_refused(house: House, operator: Visitor) -> None:
    parked = parked_here(house, b"squeak")
    operator.get(f"{PARKED}/{parked}")
    parked_here(house, b"squeak")
    assert "Nothing was done. it is at version 4" in decide(operator, parked, "discard")
    assert read(house, f"parked/{parked}")["state"] == "parked"


def test_many_are_decided_together_each_with_its_outcome(house: House, operator: Visitor) -> None:
    ids = [parked_here(house, f"squeak {number}".encode()) for number in range(3)]
    operator.get(PARKED)
    chosen = re.findall(r'name="pick" value="([^"]+)"', operator.page.text)
    assert sorted(each.partition("@")[0] for each in chosen) == sorted(ids)
    parked_here(house, b"squeak 1")  # again: its version is another one now
    told = words_of(operator.post(f"{PARKED}/actions", action="discard", reason="noise", pick=chosen).text)
    assert told.count("not done") == 1 and told.count("nobody sends it again") == 2
    states = {line["id"]: line["state"] for line in read(house, "parked")["data"]}
    assert [states[each] for each in ids] == ["discarded", "parked", "discarded"]


def test_choosing_none_is_told_and_the_reason_is_kept(house: House, operator: Visitor) -> None:
    parked_here(house, b"squeak")
    operator.get(PARKED)
    told = words_of(operator.post(f"{PARKED}/actions", action="discard", reason="noise").text)
    assert "choose 1 to 50 messages first" in told and 'value="noise"' in operator.page.text


def test_a_viewer_sees_no_button_and_the_server_refuses_too(house: House, viewer: Visitor) -> None:
    parked = parked_here(house, b"squeak")
    for path in (PARKED, f"{PARKED}/{parked}"):
        page = viewer.get(path)
        assert 'value="discard"' not in page.text and "You may look." in words_of(page.text)
    for path in (f"{PARKED}/actions", f"{PARKED}/{parked}/actions"):
        answer = viewer.post(path, action="discard", reason="let me", version="2", pick=f"{parked}@2")
        assert answer.status_code == 403
    assert [line["outcome"] for line in read(house, f"audit?target=parked:{parked}")["data"]] == ["forbidden"] * 2
