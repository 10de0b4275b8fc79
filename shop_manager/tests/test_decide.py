"""What the process manager decides, rule by rule (docs/design/semantics.md), on one Clerk each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from domain.messages import Command, answer
from domain.refusals import Refused
from domain.times import days, hours, minutes, seconds
from shop_manager.processes.definition import NOTHING_TO_UNDO, Pivot, Process, Step
from shop_manager.processes.digital import DIGITAL
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.deadlines import wake_at
from shop_manager.saga.happenings import (
    Cancelled,
    Expired,
    Happening,
    Replied,
)
from shop_manager.saga.policy import Outage
from shop_manager.tests.saga_harness import (
    NOON,
    POLICY,
    SagaHarness,
    given,
)

ALL = [STANDARD, INVOICE, DIGITAL]
FORWARD = ["shopping", "credit", "payment", "stock"]


@pytest.mark.parametrize("process", ALL, ids=lambda process: process.reference)
def test_an_order_goes_through_every_step_and_is_completed(process: Process) -> None:
    clerk = given(process).started().goes_through(*(step.name for step in process.steps))
    clerk.expect("completed").expect_nothing_sent()
    assert [command.name for command in clerk.sent] == [step.do for step in process.steps]
    assert wake_at(clerk.saga) is None


@pytest.mark.parametrize("refused_at", range(1, 4))
def test_a_refusal_undoes_what_came_before_in_reverse_and_not_the_refused_step(refused_at: int) -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD[:refused_at]).refused(FORWARD[refused_at], "no")
    for step in reversed(FORWARD[:refused_at]):
        clerk.expect("undoing").expect_sent(STANDARD.step(step).undo or "").undone(step)
    clerk.expect("failed")
    assert clerk.saga.failure == {"code": "no", "detail": "no", "step": FORWARD[refused_at]}


def test_U1_the_next_undo_is_asked_only_after_the_last_is_confirmed() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit").refused("payment", "card_declined")
    clerk.expect_sent("ReleaseCredit").later(seconds(4)).woke().expect_nothing_sent()
    clerk.undone("credit").expect_sent("CancelOrder").undone("shopping").expect("failed")


def test_U2_a_step_without_an_answer_is_undone_too_and_first() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").later(seconds(60)).woke()
    clerk.expect_sent("ReleaseCredit").undone("credit").expect_sent("CancelOrder").undone("shopping").expect("expired")
    assert clerk.saga.failure is not None
    assert clerk.saga.failure["code"] == "step_expired"


def test_U5_an_undo_that_fails_is_asked_anew_and_after_five_times_the_clerk_is_stuck_until_it_works() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit").refused("payment", "card_declined")
    for attempt in range(1, 6):
        assert clerk.question().attempt == attempt
        clerk.expect_stuck(None).refused("credit", "ledger_closed")
        if attempt < 5:
            clerk.wakes_when_due()
    clerk.expect_stuck("undo_failing", "ledger_closed").expect("undoing")
    clerk.wakes_when_due().expect_sent("ReleaseCredit").expect_stuck("undo_failing")
    clerk.undone("credit").expect_stuck(None).undone("shopping").expect("failed")


def test_U5_silence_to_an_undo_counts_too() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").cancelled()
    for _ in range(5):
        clerk.expect_stuck(None).wakes_when_due().expect_sent("ReleaseCredit")
    clerk.expect_stuck("undo_failing", "no_answer").undone("credit").undone("shopping").expect("canceled")


def test_U6_when_nothing_was_asked_the_clerk_ends_at_once_with_zero_undos() -> None:
    unasked = Process("unasked", 1, [Step("a", "shop", "A", NOTHING_TO_UNDO), Pivot("b", "risk", "B")])
    clerk = given(unasked).started().cancelled().expect("canceled")
    assert [command.direction for command in clerk.sent] == ["do"]


@pytest.mark.parametrize("answered", range(4))
def test_U7_everybody_who_was_ever_asked_gets_the_clean_up_command(answered: int) -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD[:answered]).cancelled()
    for step in reversed(FORWARD[: answered + 1]):
        clerk.expect_sent(STANDARD.step(step).undo or "").undone(step)
    clerk.expect("canceled")


def test_U8_two_undo_paths_at_once_are_one_undo() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").cancelled().expect_sent("ReleaseCredit")
    clerk.cancelled().expect_nothing_sent().expired_by_hand().expect_nothing_sent()
    clerk.undone("credit").undone("shopping").expect("canceled")
    assert [entry.what for entry in clerk.history].count("turned_around") == 1


def test_M3_a_repeated_reply_is_ignored_with_the_reason() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").done("credit", status="reserved")
    clerk.done("credit", status="reserved").expect_ignored("repeated")


def test_M3_a_reply_to_what_was_never_asked_is_ignored() -> None:
    clerk = given(STANDARD).started()
    forged = replace(clerk.question(), step="stock", name="AllocateStock", service="fulfillment")
    clerk.replies("stock", "done", to=forged).expect_ignored("never asked")
    clerk.replies("shopping", "done", to=replace(clerk.question(), attempt=2)).expect_ignored("not asked")
    clerk.replies("shopping", "undone", to=clerk.question()).expect_ignored("does not fit")
    clerk.replies("shopping", "done", to=replace(clerk.question(), name="BuyEverything")).expect_ignored("not asked")


def test_M3_a_do_reply_after_the_step_was_called_off_is_late() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").cancelled()
    late = next(command for command in clerk.sent if command.name == "ReserveCredit")
    clerk.replies("credit", "done", to=late).expect_ignored("late")
    clerk.undone("credit").replies("credit", "done", to=late).expect_ignored("late")


def test_M4_an_unanswered_command_goes_out_again_with_the_same_id_after_5_s_doubling_to_60() -> None:
    clerk = given(STANDARD, replace(POLICY, step_limit_factor=10)).started().goes_through("shopping")
    first, pauses = clerk.question(), []
    for _ in range(6):
        before = clerk.now
        clerk.wakes_when_due().expect_sent("ReserveCredit")
        assert clerk.question().id == first.id
        pauses.append(clerk.now - before)
    assert pauses[0] == seconds(5)
    for pause, full in zip(pauses[1:], [10, 20, 40, 60, 60], strict=True):
        assert seconds(full) * 0.8 <= pause <= seconds(full)


def test_M4_a_resend_is_no_history_and_moves_no_deadline() -> None:
    clerk = given(STANDARD).started().goes_through("shopping")
    version, deadline = clerk.saga.version, clerk.question().deadline
    clerk.wakes_when_due()
    assert clerk.saga.version == version
    assert clerk.question().deadline == deadline


def test_P1_a_clear_no_at_the_pivot_undoes_everything_before() -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD).refused("capture", "capture_refused")
    for step in reversed(FORWARD):
        clerk.undone(step)
    clerk.expect("failed")


def test_P1_an_unanswered_pivot_is_asked_without_end_becomes_stuck_and_is_never_undone() -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD)
    while clerk.now < NOON + hours(2):
        clerk.wakes_when_due()
    clerk.expect("running").expect_stuck("no_answer")
    assert {command.direction for command in clerk.sent} == {"do"}
    clerk.done("capture").expect_stuck(None).expect_sent("ShipOrder")


def test_P1_after_the_pivot_a_refusal_is_tried_again_and_nothing_is_undone() -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD, "capture").refused("shipping", "no_sled")
    clerk.expect("running").wakes_when_due().expect_sent("ShipOrder")
    assert clerk.question().attempt == 2
    clerk.done("shipping").done("settle").expect("completed")


@pytest.mark.parametrize("happening", [Cancelled(), Expired()])
def test_P2_calling_off_past_the_pivot_is_refused_and_changes_nothing(happening: Happening) -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD)
    clerk.happens(happening).expect("running").expect_nothing_sent()
    assert clerk.last.refused is not None
    assert clerk.last.refused.code == "past_the_pivot"
    assert clerk.last.entries == []


def test_T1_the_session_limit_holds_until_the_pivot_and_not_after() -> None:
    before = given(STANDARD).started(minutes_long=30).goes_through(*FORWARD[:3]).later(minutes(30)).woke()
    before.expect("undoing")
    assert before.saga.failure is not None
    assert before.saga.failure["code"] == "session_expired"
    after = given(STANDARD).started(minutes_long=30).goes_through(*FORWARD, "capture").later(minutes(31)).woke()
    after.expect("running").expect_stuck(None)


def test_T1_waiting_for_the_customer_counts_for_the_steps_limit() -> None:
    clerk = given(STANDARD).started(minutes_long=60).goes_through("shopping", "credit").later(minutes(15)).woke()
    clerk.expect("undoing").expect_sent("VoidPayment")


def test_T2_a_reply_after_the_deadline_is_late_even_when_the_sweep_has_not_come_by() -> None:
    clerk = given(STANDARD).started(minutes_long=1).goes_through("shopping", "credit", "payment").later(minutes(1))
    reply = Replied(answer(clerk.question(), "done", clerk.question().document, clerk.now))
    clerk.happens(reply)
    assert clerk.last.ignored is not None
    assert "late" in clerk.last.ignored
    clerk.expect("undoing").expect_sent("ReleaseStock")
    assert "CapturePayment" not in [command.name for command in clerk.sent]


def test_T2_services_are_told_the_earlier_of_both_deadlines() -> None:
    clerk = given(STANDARD).started(minutes_long=10).goes_through("shopping")
    assert clerk.question().deadline == NOON + seconds(60)
    clerk.goes_through("credit")
    assert clerk.question().deadline == NOON + minutes(10)


def test_T5_a_deadline_that_fell_into_an_outage_moves_to_a_grace_after_it_and_services_are_told() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").later(minutes(40))
    clerk.policy = replace(POLICY, outages=(Outage(NOON + seconds(10), clerk.now),))
    clerk.woke().expect("running").expect_sent("ReserveCredit")
    assert clerk.question().deadline == clerk.now + seconds(60)
    clerk.done("credit").expect_sent("AuthorizePayment")


def test_T5_a_deadline_outside_the_outage_stays_sharp() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").later(seconds(60))
    clerk.policy = replace(POLICY, outages=(Outage(NOON - seconds(30), NOON - seconds(10)),))
    clerk.woke().expect("undoing")


def test_T6_a_tick_that_comes_twice_early_or_after_the_end_does_nothing() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").woke().expect_nothing_sent()
    assert clerk.last.entries == []
    clerk.later(seconds(60)).woke().expect("undoing")
    clerk.woke().expect_nothing_sent()
    clerk.undone("credit").undone("shopping").woke().expect("expired").expect_nothing_sent()


def test_D1_only_the_owners_section_is_merged_and_a_foreign_edit_is_recorded() -> None:
    clerk = given(STANDARD).started().goes_through("shopping")
    document = {**clerk.question().document, "credit": {"status": "reserved"}, "order": {"total": 1}, "magic": True}
    clerk.replies("credit", "done", document=document)
    assert clerk.saga.document["credit"] == {"status": "reserved"}
    assert clerk.saga.document["order"] == {"status": "fine"}
    assert "magic" not in clerk.saga.document
    edit = next(entry for entry in clerk.history if entry.what == "foreign_edit")
    assert edit.data["sections"] == ["magic", "order"]


def test_D3_an_unsupported_command_makes_the_clerk_stuck_without_a_loop() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").replies("credit", "unsupported")
    clerk.expect_stuck("unsupported").expect_nothing_sent()
    entries = len(clerk.history)
    clerk.replies("credit", "unsupported").expect_nothing_sent()
    assert len(clerk.history) == entries
    clerk.done("credit").expect_stuck(None).expect_sent("AuthorizePayment")


def test_B2_a_parked_command_makes_the_clerk_stuck_until_it_is_answered() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").parked().expect_stuck("parked_message")
    clerk.done("credit").expect_stuck(None)


@pytest.mark.parametrize("end", ["completed", "failed", "canceled", "expired"])
def test_E1_an_end_absorbs_everything(end: str) -> None:
    clerk = _ended(end).expect(end)
    version = clerk.saga.version
    for command in list(clerk.sent):
        for outcome in ("done", "undone", "unsupported"):
            clerk.replies(command.step, outcome, to=command).expect_ignored(end)
    clerk.later(days(100)).woke().expect(end).expect_nothing_sent()
    assert clerk.saga.version == version
    clerk.cancelled()
    assert (clerk.last.refused is None) == (end == "canceled")


def _ended(end: str) -> SagaHarness:
    clerk = given(STANDARD).started()
    if end == "completed":
        return clerk.goes_through(*(step.name for step in STANDARD.steps))
    if end == "failed":
        return clerk.refused("shopping", "order_empty")
    (clerk.cancelled() if end == "canceled" else clerk.expired_by_hand()).undone("shopping")
    return clerk


def test_a_session_that_brought_its_order_waits_for_nobody() -> None:
    clerk = given(STANDARD).started(brought={"items": [], "payment": {"token": "tok_ok"}})
    assert clerk.saga.state_of("shopping") == "asked"
    clerk.goes_through("shopping", "credit")
    assert clerk.saga.state_of("payment") == "asked"
    by_hand = given(STANDARD).started()
    assert by_hand.saga.state_of("shopping") == "waiting"


def test_an_invoice_that_is_not_paid_in_14_days_is_written_off_and_risk_hears_of_it() -> None:
    clerk = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping").later(days(14)).woke()
    clerk.expect_sent("WriteOffPayment").expect_stuck(None)
    assert (clerk.question().step, clerk.question().attempt) == ("collect", 2)
    paid_late = next(command for command in clerk.sent if command.name == "CollectPayment")
    clerk.replies("collect", "done", to=paid_late).expect_ignored("late")
    clerk.done("collect", status="lost").expect_sent("SettleCredit").done("settle").expect("completed")


def test_a_silent_warehouse_makes_the_clerk_overdue_and_it_goes_on_when_shipped() -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD, "capture").later(hours(48)).woke()
    clerk.expect_stuck("overdue").done("shipping").expect_stuck(None).expect_sent("SettleCredit")


LETTERS = ["shopping", "credit", "payment", "stock", "capture", "shipping", "settle"]


@settings(max_examples=150, deadline=None)
@generated(
    st.lists(
        st.tuples(st.sampled_from(["done", "undone", "refused", "wake", "cancel"]), st.integers(0, 200)), max_size=60
    )
)
def test_whatever_happens_in_whatever_order_there_is_one_end_and_every_undo_comes_in_reverse(
    happenings: list[tuple[str, int]],
) -> None:
    clerk = given(STANDARD).started()
    for kind, number in happenings:
        if kind == "wake":
            clerk.later(number * 100).woke()
        elif kind == "cancel":
            clerk.cancelled()
        else:
            command = clerk.sent[number % len(clerk.sent)]
            refusal = Refused("no", "no") if kind == "refused" else None
            clerk.replies(command.step, kind, to=command, refusal=refusal)  # type: ignore[arg-type]  # drawn from the literals
    assert [entry.what for entry in clerk.history].count("ended") <= 1
    assert _undo_order(clerk.sent) == sorted(_undo_order(clerk.sent), reverse=True)
    assert wake_at(clerk.saga) is not None or clerk.saga.ended
    if clerk.saga.status == "completed":
        assert {command.direction for command in clerk.sent} == {"do"}


def _undo_order(sent: list[Command]) -> list[int]:
    return [LETTERS.index(command.step) for command in sent if command.direction == "undo"]


def test_waking_when_nothing_is_due_never_leaves_a_clerk_due_again() -> None:
    clerk = given(STANDARD).started().goes_through(*FORWARD)
    for _ in range(50):
        clerk.wakes_when_due()
        due = wake_at(clerk.saga)
        assert due is not None
        assert due > clerk.now
