"""The timeline in sentences: whatever can happen has one, with who, why and until when."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.dashboard.timeline_text import TimelineSentence, sentence_of
from shop_manager.saga.state import _EVOLVES

SERVICES = {"credit": "risk", "shipping": "fulfillment"}
WHY = {"code": "no", "detail": "not today"}
DATA: dict[str, dict[str, Any]] = {
    "opened": {"process": "standard/1", "chosen": {"rule": "everybody"}},
    "asked": {"direction": "do", "attempt": 1, "command": "ReserveCredit", "deadline": None, "waits_for": None},
    "refused": WHY,
    "undo_failed": {**WHY, "retry_at": "2026-11-25T04:00:10.000Z"},
    "do_failed": {**WHY, "retry_at": "2026-11-25T04:00:10.000Z"},
    "turned_around": {"ending": "canceled", "failure": None, "by": "customer", "reason": ""},
    "stuck": {"kind": "undo_failing", "service": "risk", **WHY},
    "deadlines_moved": {"expires_at": "2026-11-25T05:00:00.000Z", "deadline": None, "why": "an outage"},
    "settled": {"outcome": "done", "undo": False, "evidence": "seen in their books", "by": "operator:nora"},
    "ended": {"status": "completed"},
    "foreign_edit": {"sections": ["payment"], "by": "risk"},
    "amended": {"fields": ["name", "shipping_address"], "by": "customer"},
    "note": {"text": "their team is called", "by": "operator:nora"},
    "forgotten": {"by": "operator:nora"},
}


SENTENCES = {
    "opened": "The session was opened, on process standard/1",
    "asked": "risk was asked to ReserveCredit",
    "done": "risk has done credit",
    "undone": "risk has undone credit",
    "refused": "risk refused credit",
    "undo_failed": "risk cannot undo credit now",
    "do_failed": "risk cannot do credit now",
    "turned_around": "The order turned around, by customer: what was done is undone, and it will end canceled",
    "stuck": "Stuck at credit: undo failing, it needs a person or risk",
    "unstuck": "No longer stuck at credit",
    "deadlines_moved": "Deadlines were moved: the session's to 2026-11-25 05:00:00 UTC",
    "settled": "credit was settled by hand as done, by nora; it will not be undone later",
    "ended": "The order ended: completed",
    "foreign_edit": "risk sent changes of parts that are not its own: payment",
    "note": "Note, by nora",
    "reported": "risk has told how far credit is",
    "amended": "The customer has changed: name, shipping address",
    "forgotten": "The customer's name, e-mail, address and all notes were erased, by nora",
}


def sentence(what: str, step: str | None = "credit", **data: Any) -> TimelineSentence:
    return sentence_of({"what": what, "step": step, "data": {**DATA.get(what, {}), **data}}, SERVICES)


@pytest.mark.parametrize("what", [*_EVOLVES, "opened"])
def test_every_kind_of_history_entry_has_a_sentence_of_its_own(what: str) -> None:
    assert sentence(what).text == SENTENCES[what]


def test_a_line_that_this_version_does_not_know_is_told_by_its_name() -> None:
    assert sentence_of({"what": "paid_in_gold", "step": None, "data": {}}, {}).text == "Paid in gold"


def test_a_question_says_who_is_asked_what_until_when_and_whom_it_waits_for() -> None:
    said = sentence("asked", waits_for="customer", deadline="2026-11-25T04:00:00.000Z", attempt=2)
    assert said.text == "risk was asked to ReserveCredit, attempt 2"
    assert said.detail == "It waits for the customer. It has time until 2026-11-25 04:00:00 UTC."
    assert "undo its part: ReserveCredit" in sentence("asked", direction="undo").text


def test_a_report_is_told_in_the_words_of_what_it_is_about() -> None:
    bone = {"sku": "BONE", "quantity": 2}
    assert sentence("reported", content={"status": "open", "items": [bone]}).text == "The cart has 1 article now"
    assert sentence("reported", content={"status": "authorizing"}).text == "risk is asking the payment provider"
    declined = sentence("reported", content={"status": "none", "last_error": {"code": "card_declined", "detail": "no"}})
    assert (declined.text, declined.detail) == (
        "risk: a card was declined, another one may be tried",
        "card_declined: no",
    )


def test_an_operators_act_carries_name_and_reason() -> None:
    asked = sentence("asked", by="operator:nora", reason="risk is back")
    assert asked.text.endswith(", by nora") and asked.detail == "risk is back"
    assert sentence("note").text == "Note, by nora" and sentence("note").detail == "their team is called"
    assert "by nora; it will not be undone later" in sentence("settled").text
    assert sentence("deadlines_moved", by="operator:nora", reason="the courier is ill").detail == "the courier is ill"


def test_what_went_wrong_is_told_with_code_and_words() -> None:
    assert sentence("refused").detail == "no: not today"
    assert sentence("undo_failed").detail == "no: not today. It is asked anew at 2026-11-25 04:00:10 UTC."
    assert "Stuck at credit: undo failing" in sentence("stuck").text
    assert sentence("turned_around", failure=WHY, by="risk").detail == "no: not today"


def test_an_ignored_reply_says_what_it_said_and_why_it_changed_nothing() -> None:
    late = {"what": "ignored", "step": "credit", "data": {}, "outcome": "done", "reason": "late: it is undone"}
    said = sentence_of({**late, "message": "clk_1/credit/1/do/reply"}, SERVICES)
    assert said.text == "A reply of risk was ignored: it said done to clk_1/credit/1/do"
    assert said.detail == "Late: it is undone. It changed nothing."
    assert "cancelled: too late" in sentence_of({**late, "message": "clk_1/cancelled"}, SERVICES).text
