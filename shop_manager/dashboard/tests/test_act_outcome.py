"""What the page says came of the last act: read from the history, whoever looks, and as often as it is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from domain.times import hours, seconds, to_wire
from shop_manager.dashboard import live
from shop_manager.dashboard.clerk_page import path_of
from shop_manager.dashboard.formatting import absolute
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.test_clerk_page import act
from shop_manager.dashboard.tests.test_live import heard
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one

AGAIN = "Look again"


def outcome_in(browser: BrowserClient, clerk: str) -> str:
    """The text of the strip, as a fresh page has it."""
    page = browser.get(path_of(clerk)).text
    found = re.search(r'<div id="outcome".*?</div>', page, re.DOTALL)
    assert found, "the page has no place for it"
    return visible_text_of(found[0])


def test_who_has_not_acted_sees_no_outcome(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert outcome_in(viewer, stuck_one(harness)) == ""


def test_asked_answered_completed(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = stuck_one(harness)
    operator.get(path_of(clerk))
    act(operator, clerk, "retry")
    for _ in range(2):  # a reload tells the same
        text = outcome_in(operator, clerk)
        assert "asked payment was asked again to do capture, attempt 2, by operator-of-the-night" in text
        assert "answered payment has said nothing new yet" in text
        assert "now counts as stuck until it is answered, at capture: no_answer" in text and AGAIN in text
    harness.goes_on_to("ShipOrder")
    text = outcome_in(operator, clerk)
    assert "answered payment has done capture" in text and "now going on, at ship" in text and AGAIN in text
    finishes(harness, clerk)
    text = outcome_in(operator, clerk)
    assert "answered payment has done capture" in text and "now the order has ended: completed" in text
    assert AGAIN not in text
    harness.now += hours(25)
    tomorrow = BrowserClient(harness).logged_in("viewer")
    assert outcome_in(tomorrow, clerk) == "", "a day after the end only the story tells it"


def finishes(harness: HttpHarness, clerk: str) -> None:
    """The warehouse ships, and all goes well until the end: what was asked is asked again when it is due."""
    while harness.saga(clerk).status == "running":
        harness.now += seconds(61)
        harness.ticks()
        harness.goes_on_to_the_end()


def test_a_service_that_refuses_again_is_told_with_its_code_and_words(
    harness: HttpHarness, operator: BrowserClient
) -> None:
    clerk = cannot_settle(harness)
    operator.get(path_of(clerk))
    act(operator, clerk, "retry")
    answer_settle(harness, "ledger_closed")
    text = outcome_in(operator, clerk)
    assert "answered risk cannot do it now: ledger_closed: ledger closed" in text
    assert "now still stuck, at settle: ledger_closed: ledger closed" in text and AGAIN in text


def cannot_settle(harness: HttpHarness) -> str:
    """An order that is stuck because risk cannot settle it."""
    clerk: str = harness.brings_all(SERVER, customer="ada")["id"]
    command = harness.goes_on_to("SettleCredit")
    while harness.saga(clerk).stuck is None:
        harness.answers(command, "refused", "ledger_closed")
        harness.now += seconds(61)
        harness.ticks()
        [command] = harness.sent()
    return clerk


def answer_settle(harness: HttpHarness, code: str) -> None:
    command = harness.sent()[-1]
    assert command.name == "SettleCredit"
    harness.answers(command, "refused", code)


def test_an_order_that_was_stopped_tells_how_far_the_undoing_is(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = harness.brings_all(SERVER)["id"]
    harness.goes_on_to("AuthorizePayment")
    operator.get(path_of(clerk))
    act(operator, clerk, "undo")
    text = outcome_in(operator, clerk)
    assert "asked the order was stopped, to be undone, by operator-of-the-night" in text
    assert "answered nothing is undone yet" in text and "now being undone, at payment" in text
    harness.goes_on_to_the_end()
    text = outcome_in(operator, clerk)
    assert "answered undone: payment, credit, shopping" in text and "now the order has ended: canceled" in text


def test_what_was_settled_as_refused_is_told_as_settled(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = stuck_one(harness)
    operator.get(path_of(clerk))
    act(operator, clerk, "settle", step="capture", outcome="refused", evidence="the bank says so")
    assert "asked capture was settled by hand as refused, by operator-of-the-night" in outcome_in(operator, clerk)


def test_more_time_is_told_with_how_it_stands_now(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("AuthorizePayment")
    operator.get(path_of(clerk))
    act(operator, clerk, "extend", until="in 2 hours")
    text = outcome_in(operator, clerk)
    assert "asked more time was given until" in text and "answered" not in text
    assert "now going on, at payment" in text


def test_a_stuck_one_with_more_time_tells_whom_it_waits_for_and_until_when(
    harness: HttpHarness, operator: BrowserClient
) -> None:
    clerk = stuck_one(harness)
    operator.get(path_of(clerk))
    operator.post(f"{path_of(clerk)}/claim", action="claim")
    operator.get(path_of(clerk))
    act(operator, clerk, "extend", until="in 2 hours")
    until = absolute(to_wire(harness.now + hours(2)))
    text = operator.text(path_of(clerk))
    assert f"payment has not answered yet; without an answer it is stuck again from {until} on" in text
    assert "payment has not answered, asked" in text and "it is asked again in" in text
    assert f"it has time until {until}, then it is stuck again and waits for a person." in text
    assert "nobody has to do anything" not in text
    assert (
        "operator-of-the-night has it" in text and "it stays so until capture is answered, or it is given back" in text
    )
    assert "Give it back" in text and "Put it off" not in text
    assert "operator-of-the-night has it; it has more time" in operator.text("/dashboard/clerks?mine=yes")
    harness.goes_on_to("ShipOrder")
    text = operator.text(path_of(clerk))
    assert "operator-of-the-night has it" not in text and "now going on, at ship" in text


def test_an_open_page_hears_what_came_of_the_act(
    harness: HttpHarness, operator: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)
    clerk = stuck_one(harness)
    operator.get(path_of(clerk))
    act(operator, clerk, "retry")
    page = operator.get(path_of(clerk)).text
    found = re.search(r'hx-sse:connect="([^"]+)"', page)
    assert found
    path = found[1].replace("&amp;", "&")

    def answer(_stream: Any) -> None:
        harness.goes_on_to("ShipOrder")

    def told(stream: Any) -> bool:
        return "payment has done capture" in "".join(stream.messages)

    stream = heard(operator, path, answer, until=told)
    for part in ("outcome", "story", "document", "slot-note", "title"):
        assert f'hx-target="#{part}"' not in stream.messages[0], "what the page shows already is not sent"
    told_together = next(each for each in stream.messages if 'hx-target="#outcome"' in each)
    for part in ("title", "outcome", "head", "way", "next", "story", "document", "slot-retry", "slot-claim"):
        assert f'hx-target="#{part}"' in told_together
    assert "Stuck: " not in told_together and f'name="version" value="{harness.saga(clerk).version}"' in told_together
    assert "since you opened this page" in told_together


def test_the_page_tells_what_the_customer_was_told(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = stuck_one(harness)
    text = viewer.text(path_of(clerk))
    told = text[text.index("What the customer was told") : text.index("What happened")]
    assert "reserved on the card" in told and "processing" in told


def test_attempts_that_failed_alike_are_one_line_of_the_page(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = cannot_settle(harness)
    for _ in range(3):
        harness.now += seconds(61)
        harness.ticks()
        answer_settle(harness, "ledger_closed")
    page = viewer.get(path_of(clerk)).text
    assert "risk was asked 3 times to do settle, and could not each time" in visible_text_of(page)
    assert "Each of these 6 lines" in page


def test_resends_are_told_with_how_many_and_when_last(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = harness.brings_all(SERVER)["id"]
    harness.goes_on_to("ReserveCredit")
    for _ in range(2):
        harness.now += seconds(20)
        harness.ticks()
    last = to_wire(harness.now)
    harness.now += seconds(3)
    question = read(harness, f"clerks/{clerk}")["question"]
    assert (question["resent"], question["resent_at"]) == (2, last)
    assert f"The same message went out 2 times more, last at {absolute(last)}." in viewer.text(path_of(clerk))


def test_the_trace_is_linked_where_it_is_said_where_traces_are_looked_at(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, trace_url="https://jaeger.example/trace/{trace_id}?from=clerk")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    clerk = harness.call("POST", "/shop/session", SERVER, json={}, headers=headers).json()["id"]
    assert read(harness, f"clerks/{clerk}")["trace_id"] == trace
    page = BrowserClient(harness).logged_in("viewer").get(path_of(clerk)).text
    assert f'<a href="https://jaeger.example/trace/{trace}?from=clerk" rel="noreferrer">Trace</a>' in page
