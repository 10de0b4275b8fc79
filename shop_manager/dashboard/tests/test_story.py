"""The timeline in sentences: whatever can happen is told, with who, why and until when."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.dashboard.story import Told, told
from shop_manager.saga import _EVOLVES

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
    "note": {"text": "their team is called", "by": "operator:nora"},
}


def line(what: str, step: str | None = "credit", **data: Any) -> Told:
    return told({"what": what, "step": step, "data": {**DATA.get(what, {}), **data}}, SERVICES)


@pytest.mark.parametrize("what", [*_EVOLVES, "opened"])
def test_every_kind_of_line_has_a_sentence_of_its_own(what: str) -> None:
    said = line(what)
    assert said.sentence[0].isupper() or said.sentence.split()[0] in ("risk", "credit")
    assert said.sentence != what.replace("_", " ").capitalize()


def test_a_line_that_this_version_does_not_know_is_told_by_its_name() -> None:
    assert told({"what": "paid_in_gold", "step": None, "data": {}}, {}).sentence == "Paid in gold"


def test_a_question_says_who_is_asked_what_until_when_and_whom_it_waits_for() -> None:
    said = line("asked", waits_for="customer", deadline="2026-11-25T04:00:00.000Z", attempt=2)
    assert said.sentence == "risk was asked to ReserveCredit, attempt 2"
    assert said.detail == "It waits for the customer. It has time until 2026-11-25 04:00:00 UTC."
    assert "undo its part: ReserveCredit" in line("asked", direction="undo").sentence


def test_an_operators_act_carries_name_and_reason() -> None:
    asked = line("asked", by="operator:nora", reason="risk is back")
    assert asked.sentence.endswith(", by nora") and asked.detail == "risk is back"
    assert line("note").sentence == "Note, by nora" and line("note").detail == "their team is called"
    assert "by nora; it will not be undone later" in line("settled").sentence
    assert line("deadlines_moved", by="operator:nora", reason="the courier is ill").detail == "the courier is ill"


def test_what_went_wrong_is_told_with_code_and_words() -> None:
    assert line("refused").detail == "no: not today"
    assert line("undo_failed").detail == "no: not today. It is asked anew at 2026-11-25 04:00:10 UTC."
    assert "Stuck at credit: undo failing" in line("stuck").sentence
    assert line("turned_around", failure=WHY, by="risk").detail == "no: not today"


def test_an_ignored_reply_says_what_it_said_and_why_it_changed_nothing() -> None:
    late = {"what": "ignored", "step": "credit", "data": {}, "outcome": "done", "reason": "late: it is undone"}
    said = told({**late, "message": "clk_1/credit/1/do/reply"}, SERVICES)
    assert said.sentence == "A reply of risk was ignored: it said done to clk_1/credit/1/do"
    assert said.detail == "Late: it is undone. It changed nothing."
    assert "cancelled: too late" in told({**late, "message": "clk_1/cancelled"}, SERVICES).sentence
