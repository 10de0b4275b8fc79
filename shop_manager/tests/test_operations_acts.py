"""Acts on a Clerk (O1, O2, T3, P2, S9): each way of being stuck is healed, and all is written down."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.messages import ParkedNotice
from domain.times import hours, minutes, seconds, to_wire
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import OPERATOR as VIEWER
from shop_manager.tests.test_operations_api import read, stuck_one

DAY = "op_day"
WHY = "the night shift saw it"


def act(
    harness: HttpHarness, clerk: str, action: str, *, key: str = DAY, seen: int | None = None, **body: Any
) -> httpx.Response:
    version = harness.saga(clerk).version if seen is None else seen
    headers = {"If-Match": f'"{version}"'}
    path = f"/ops/clerks/{clerk}/actions"
    return harness.call("POST", path, key, json={"action": action, "reason": WHY, **body}, headers=headers)


def audit(harness: HttpHarness, clerk: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = read(harness, f"audit?target=clerk:{clerk}")["data"]
    return lines


def whats(harness: HttpHarness, clerk: str) -> list[str]:
    return [line["what"] for line in read(harness, f"clerks/{clerk}/timeline")["data"]]


# --- retry ------------------------------------------------------------------------------------------------------------


def test_O2_retry_is_the_same_business_key_and_a_new_attempt(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    answered = act(harness, clerk, "retry")
    assert answered.status_code == 200, answered.text
    assert (answered.json()["stuck"]["kind"], answered.json()["question"]["attempt"]) == ("no_answer", 2)
    assert answered.headers["etag"] == f'"{answered.json()["version"]}"'
    [command] = harness.sent()
    assert (command.clerk, command.step, command.attempt) == (clerk, "capture", 2)
    harness.answers(command)
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "completed"


def test_O2_the_answer_to_the_attempt_before_is_late(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    first = harness.goes_on_to("CapturePayment")
    harness.now += seconds(1)
    act(harness, clerk, "retry")
    harness.answers(first)
    assert harness.saga(clerk).state_of("capture") == "asked"
    line = read(harness, f"clerks/{clerk}/timeline")["data"][-1]
    assert line["reason"] == "late: it was asked anew meanwhile, as attempt 2"


def test_a_retry_gives_a_limit_that_has_passed_anew_and_leaves_one_that_has_not(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("CapturePayment")
    limit = harness.now + seconds(60)
    harness.now += seconds(10)
    assert act(harness, clerk, "retry").json()["question"]["deadline"] == to_wire(limit)
    harness.now = limit
    harness.ticks()
    assert act(harness, clerk, "retry").json()["question"]["deadline"] == to_wire(limit + seconds(60))
    harness.ticks()
    stuck = read(harness, f"clerks/{clerk}")["stuck"]
    assert (stuck["kind"], stuck["since"]) == ("no_answer", to_wire(limit)), "to be asked again heals nothing"
    harness.now += seconds(60)
    harness.ticks()
    assert read(harness, f"clerks/{clerk}")["stuck"] == stuck


# --- every stuck kind is healed ---------------------------------------------------------------------------------------


def undo_fails(harness: HttpHarness) -> str:
    clerk: str = harness.brings_all()["id"]
    harness.goes_on_to("ReserveCredit")
    harness.call("POST", f"/shop/session/{clerk}/cancel", SERVER)
    while harness.saga(clerk).stuck is None:
        for command in harness.sent():
            harness.answers(command, "refused", "provider_refused")
        harness.now += minutes(1)
        harness.ticks()
    harness.sent()
    return clerk


def test_U5_a_failing_undo_is_retried_by_hand_and_stays_listed_while_it_fails(harness: HttpHarness) -> None:
    clerk = undo_fails(harness)
    act(harness, clerk, "retry")
    [again] = harness.sent()
    harness.answers(again, "refused", "provider_refused")
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "undo_failing"
    act(harness, clerk, "retry")
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "canceled"


def test_a_failing_undo_can_be_settled_by_hand_and_the_earlier_steps_follow(harness: HttpHarness) -> None:
    clerk = undo_fails(harness)
    answered = act(harness, clerk, "settle", step="credit", outcome="undone", evidence="risk's ledger, line 7")
    assert answered.json()["question"]["step"] == "shopping"
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "canceled"


def test_an_overdue_warehouse_gets_more_time(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("ShipOrder")
    harness.now += hours(48)
    harness.ticks()
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "overdue"
    until = harness.now + hours(24)
    answered = act(harness, clerk, "extend", until=to_wire(until))
    assert (answered.json()["stuck"], answered.json()["question"]["deadline"]) == (None, to_wire(until))
    harness.now = until - 1
    harness.ticks()
    assert read(harness, f"clerks/{clerk}")["stuck"] is None
    harness.now = until
    harness.ticks()
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "overdue"


def test_an_overdue_step_can_be_settled_as_done(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("ShipOrder")
    harness.now += hours(48)
    harness.ticks()
    harness.sent()
    assert act(harness, clerk, "settle", step="shipping", outcome="done", evidence="the receipt").status_code == 200
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "completed"


def test_a_parked_command_and_an_unknown_one_are_asked_anew(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    harness.hears(
        ParkedNotice("risk", "prk_1", "the handler failed", "risk.commands.v1", command.id, b"[]", 2, harness.now)
    )
    assert read(harness, f"clerks/{clerk}")["stuck"]["kind"] == "parked_message"
    since = act(harness, clerk, "retry").json()["stuck"]["since"]
    [again] = harness.sent()
    harness.now += seconds(9)
    harness.answers(again, "unsupported")
    stuck = read(harness, f"clerks/{clerk}")["stuck"]
    assert (stuck["kind"], stuck["since"]) == ("unsupported", since)
    assert act(harness, clerk, "retry").json()["stuck"] == stuck
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "completed"


# --- undo, settle, note -----------------------------------------------------------------------------------------------


def test_P2_undo_is_for_before_the_pivot_only(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("AllocateStock")
    answered = act(harness, clerk, "undo").json()
    assert (answered["status"], answered["ending"]) == ("canceling", "canceled")
    assert act(harness, clerk, "undo").json()["code"] == "not_allowed_now"
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "canceled"
    late = stuck_one(harness)
    refused = act(harness, late, "undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "past_the_pivot")
    assert harness.saga(late).status == "running"


@pytest.mark.parametrize(
    ("said", "undos"),
    [({}, ["VoidPayment", "CancelOrder"]), ({"undo": True}, ["VoidPayment", "ReleaseCredit", "CancelOrder"])],
)
def test_O2_a_step_settled_as_done_is_not_undone_later_unless_said(
    harness: HttpHarness, said: dict[str, Any], undos: list[str]
) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("ReserveCredit")
    act(harness, clerk, "settle", step="credit", outcome="done", evidence="seen at risk", **said)
    harness.goes_on_to("AuthorizePayment")
    act(harness, clerk, "undo")
    names = []
    while commands := harness.sent():
        names.append(commands[0].name)
        harness.answers(commands[0])
    assert names == undos
    assert read(harness, f"clerks/{clerk}")["status"] == "canceled"


def test_O2_settled_as_refused_undoes_the_order_even_at_the_pivot(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    answered = act(harness, clerk, "settle", step="capture", outcome="refused", evidence="the bank says no").json()
    assert (answered["status"], answered["past_the_pivot"]) == ("canceling", False)
    harness.goes_on_to_the_end()
    assert read(harness, f"clerks/{clerk}")["status"] == "failed"


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "$.step"), ({"step": "capture", "outcome": "done"}, "$.evidence"),
     ({"step": "capture", "outcome": "done", "evidence": "  "}, "$.evidence"),
     ({"step": "capture", "outcome": "refused", "evidence": "x", "undo": True}, "$.undo"),
     ({"step": "capture", "outcome": "lost", "evidence": "x"}, "$.outcome")],
)  # fmt: skip
def test_O2_settling_needs_evidence(harness: HttpHarness, body: dict[str, Any], param: str) -> None:
    answered = act(harness, stuck_one(harness), "settle", **body)
    assert (answered.status_code, answered.json()["param"]) == (422, param)


@pytest.mark.parametrize(("step", "outcome"), [("payment", "done"), ("capture", "undone")])
def test_only_the_open_question_can_be_settled_and_only_as_what_answers_it(
    harness: HttpHarness, step: str, outcome: str
) -> None:
    answered = act(harness, stuck_one(harness), "settle", step=step, outcome=outcome, evidence="x")
    assert (answered.status_code, answered.json()["code"]) == (409, "not_allowed_now")


def test_an_ended_clerk_takes_notes_and_keeps_the_time_of_its_end(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to_the_end()
    ended_at = read(harness, f"clerks/{clerk}")["updated_at"]
    harness.now += hours(1)
    assert act(harness, clerk, "retry").json()["code"] == "session_ended"
    noted = act(harness, clerk, "note").json()
    assert (noted["status"], noted["updated_at"]) == ("completed", ended_at)
    line = read(harness, f"clerks/{clerk}/timeline")["data"][-1]
    assert (line["what"], line["data"]) == ("note", {"text": WHY, "by": "operator:day"})


# --- versions, roles, races -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "status", "code"),
    [(None, 428, "version_required"), ("*", 428, "version_required"), ('"1"', 412, "version_conflict"),
     ("7", 422, "invalid_request")],
)  # fmt: skip
def test_O1_an_act_carries_the_version_seen_and_a_mismatch_changes_nothing(
    harness: HttpHarness, match: str | None, status: int, code: str
) -> None:
    clerk = stuck_one(harness)
    before = harness.saga(clerk)
    headers = {"If-Match": match} if match else {}
    body = {"action": "retry", "reason": WHY}
    answered = harness.call("POST", f"/ops/clerks/{clerk}/actions", DAY, json=body, headers=headers)
    assert (answered.status_code, answered.json()["code"]) == (status, code)
    assert harness.saga(clerk) == before and harness.sent() == []
    if status == 412:
        assert answered.headers["etag"] == f'"{before.version}"'
        assert audit(harness, clerk)[0]["outcome"] == "version_conflict"


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_O1_an_act_needs_a_reason(harness: HttpHarness, reason: str | None) -> None:
    answered = act(harness, stuck_one(harness), "retry", reason=reason)
    assert (answered.status_code, answered.json()["param"]) == (422, "$.reason")


def test_S9_a_viewer_may_look_and_his_attempt_to_act_is_written_down(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    before = harness.saga(clerk)
    answered = act(harness, clerk, "retry", key=VIEWER)
    assert (answered.status_code, answered.json()["code"]) == (403, "forbidden")
    assert harness.saga(clerk) == before
    [line] = audit(harness, clerk)
    assert (line["who"], line["role"], line["outcome"]) == ("night", "viewer", "forbidden")


def test_T3_of_two_operators_at_once_one_wins_and_the_other_is_told(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    seen = harness.saga(clerk).version
    first, second = act(harness, clerk, "retry", seen=seen), act(harness, clerk, "retry", key="op_boss", seen=seen)
    assert (first.status_code, second.status_code) == (200, 412)
    assert [command.attempt for command in harness.sent()] == [2]
    assert [(line["who"], line["outcome"]) for line in audit(harness, clerk)] == [
        ("boss", "version_conflict"), ("day", "done"),
    ]  # fmt: skip


def test_T3_a_deadline_that_has_passed_wins_against_an_operator_who_did_not_see_it(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("ReserveCredit")
    harness.now += seconds(60)
    answered = act(harness, clerk, "extend", until=to_wire(harness.now + hours(1)))
    assert (answered.status_code, answered.json()["code"]) == (412, "version_conflict")
    assert (harness.saga(clerk).status, harness.saga(clerk).ending) == ("undoing", "expired")
    assert audit(harness, clerk)[0]["outcome"] == "version_conflict"


def test_T1_an_extended_deadline_is_told_to_the_service_and_kept_by_the_row(harness: HttpHarness) -> None:
    clerk = harness.opened(items=None)["id"]
    [first] = harness.sent()
    until = harness.now + hours(2)
    act(harness, clerk, "extend", until=to_wire(until))
    [again] = harness.sent()
    assert (again.id, again.deadline) == (first.id, until)
    harness.now = until - 1
    harness.ticks()
    assert harness.saga(clerk).status == "running"
    harness.now = until
    harness.ticks()
    assert harness.saga(clerk).ending == "expired"


@pytest.mark.parametrize("until", ["soon", "2027-01-15T08:00:00", to_wire(0), to_wire(1_900_000_000_000)])
def test_a_deadline_can_only_move_forward_and_not_too_far(harness: HttpHarness, until: str) -> None:
    clerk = harness.opened()["id"]
    answered = act(harness, clerk, "extend", until=until)
    assert (answered.status_code, answered.json()["param"]) == (422, "$.until")


def test_who_asks_for_too_short_a_time_is_told_the_present_deadline(harness: HttpHarness) -> None:
    clerk = harness.opened()["id"]
    answered = act(harness, clerk, "extend", until=to_wire(harness.now + seconds(1)))
    assert f"a moment after {to_wire(harness.saga(clerk).expires_at)}" in answered.json()["detail"]


def test_S9_the_audit_says_who_what_why_and_what_was_before_and_after(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    seen = harness.saga(clerk).version
    act(harness, clerk, "retry")
    [line] = audit(harness, clerk)
    assert (line["who"], line["role"], line["action"], line["reason"]) == ("day", "operator", "retry", WHY)
    assert (line["seen"], line["outcome"], line["at"]) == (seen, "done", to_wire(harness.now))
    assert (line["before"]["stuck"], line["after"]["stuck"], line["after"]["attempt"]) == ("no_answer", "no_answer", 2)
    whole = read(harness, "audit")["data"]
    assert read(harness, "audit?who=day&action=retry&outcome=done")["data"] == whole == [line]
    assert read(harness, "audit?who=boss")["data"] == []


def test_an_unknown_clerk_cannot_be_acted_on(harness: HttpHarness) -> None:
    headers = {"If-Match": '"1"'}
    body = {"action": "note", "reason": WHY}
    assert harness.call("POST", "/ops/clerks/clk_no/actions", DAY, json=body, headers=headers).status_code == 404
