"""A stuck Clerk is so for what was heard last (P1, U5): a service that answers is not called silent, nor the other way.

The first moment of being stuck stays, whatever is heard after it.
"""

from __future__ import annotations

from domain.times import hours, seconds
from shop_manager.engine.rows import decode_saga, encode_document, encode_more, encode_state
from shop_manager.operations.headline import headline, owner
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.decide import decide
from shop_manager.saga.happenings import Operated, Parked, Retry, Undo, Woke
from shop_manager.tests.saga_harness import NOON, POLICY, SagaHarness, given

TO_SETTLE = ("shopping", "credit", "payment", "stock", "capture", "shipping")


def settling() -> SagaHarness:
    return given(STANDARD).started().goes_through(*TO_SETTLE)


def refuses(clerk: SagaHarness, code: str, until: int) -> SagaHarness:
    """Settle is answered "cannot now" each time that it is asked, up to that moment."""
    clerk.refused("settle", code)
    while clerk.now < until:
        clerk.wakes_when_due()
        if clerk.latest:
            clerk.refused("settle", code)
    return clerk


def is_silent(clerk: SagaHarness, times: int) -> SagaHarness:
    """The open question is sent so often, and not answered."""
    sent = len(clerk.sent)
    while len(clerk.sent) < sent + times:
        clerk.wakes_when_due()
    return clerk


def stuck_entries(clerk: SagaHarness) -> list[tuple[str, str]]:
    return [(entry.data["kind"], entry.data["code"]) for entry in clerk.history if entry.what == "stuck"]


def test_P1_a_service_that_says_cannot_until_its_limit_is_overdue_with_its_words_and_not_silent() -> None:
    clerk = refuses(settling(), "ledger_closed", NOON + seconds(60))
    assert clerk.now == NOON + seconds(60)
    clerk.expect_stuck("overdue", "ledger_closed")
    assert clerk.saga.stuck is not None
    assert clerk.saga.stuck.detail == "ledger closed"
    assert (clerk.saga.question or clerk.question()).attempt < 5, "before the fifth failure"


def test_P1_a_service_that_was_silent_and_then_says_cannot_is_stuck_for_its_words_since_the_first_moment() -> None:
    clerk = settling().later(seconds(60)).woke().expect_stuck("no_answer")
    clerk.later(seconds(30)).refused("settle", "ledger_closed").expect_stuck("overdue", "ledger_closed")
    assert clerk.saga.stuck is not None
    assert clerk.saga.stuck.since == NOON + seconds(60)
    assert stuck_entries(clerk) == [("no_answer", "no_answer"), ("overdue", "ledger_closed")]


def test_P1_the_same_words_again_are_no_new_entry_and_other_words_are() -> None:
    clerk = refuses(settling(), "ledger_closed", NOON + hours(1))
    assert stuck_entries(clerk) == [("overdue", "ledger_closed")]
    refuses(clerk.wakes_when_due(), "books_are_balanced", NOON + hours(2))
    assert stuck_entries(clerk) == [("overdue", "ledger_closed"), ("overdue", "books_are_balanced")]
    assert clerk.saga.stuck is not None
    assert clerk.saga.stuck.since == NOON + seconds(60)


def test_P1_who_said_cannot_and_says_nothing_more_is_silent_after_five_times() -> None:
    clerk = refuses(settling(), "ledger_closed", NOON + hours(1)).wakes_when_due()
    is_silent(clerk, 4).expect_stuck("overdue", "ledger_closed")
    is_silent(clerk, 1).expect_stuck("no_answer", "no_answer")
    assert clerk.saga.stuck is not None
    assert clerk.saga.stuck.since == NOON + seconds(60)
    clerk.refused("settle", "ledger_closed").expect_stuck("overdue", "ledger_closed")
    clerk.wakes_when_due().done("settle").expect("completed")


def test_U5_an_undo_that_was_silent_and_then_fails_says_why_and_the_other_way_round() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").cancelled()
    is_silent(clerk, 5).expect_stuck("undo_failing", "no_answer")
    assert clerk.saga.stuck is not None
    since = clerk.saga.stuck.since
    clerk.refused("credit", "ledger_closed").expect_stuck("undo_failing", "ledger_closed")
    is_silent(clerk.wakes_when_due(), 5).expect_stuck("undo_failing", "no_answer")
    assert clerk.saga.stuck.since == since
    clerk.undone("credit").expect_stuck(None)


def test_B2_a_parked_command_that_is_answered_or_parked_later_changes_the_cause() -> None:
    clerk = settling().parked().expect_stuck("parked_message")
    is_silent(clerk, 10).expect_stuck("parked_message")
    clerk.refused("settle", "ledger_closed").expect_stuck("overdue", "ledger_closed")
    clerk.wakes_when_due().happens(Parked(clerk.question().id, "risk", "it kills")).expect_stuck("parked_message")
    assert clerk.saga.stuck is not None
    assert clerk.saga.stuck.since == NOON


def test_D3_a_command_that_is_not_known_stays_the_cause_when_its_limit_passes() -> None:
    clerk = settling().replies("settle", "unsupported").expect_stuck("unsupported")
    clerk.later(seconds(60)).woke().expect_stuck("unsupported")
    is_silent(clerk, 10).expect_stuck("unsupported")


def test_P1_a_warehouse_that_is_late_is_overdue_however_often_it_was_asked() -> None:
    clerk = given(STANDARD).started().goes_through(*TO_SETTLE[:-1]).refused("shipping", "no_sled").wakes_when_due()
    clerk.later(hours(48)).woke().expect_stuck("overdue", "no_sled")
    is_silent(clerk, 5).expect_stuck("overdue", "overdue")
    clerk.done("shipping").expect_stuck(None)


def test_an_order_that_turns_around_while_it_is_stuck_stays_so_until_its_first_undo_is_answered() -> None:
    clerk = given(STANDARD).started().goes_through("shopping").replies("credit", "unsupported").later(seconds(9))
    clerk.happens(Operated(Undo(), "ida", "no new version tonight")).expect("undoing").expect_stuck("unsupported")
    assert clerk.saga.stuck is not None and clerk.saga.stuck_before
    assert "being undone, risk has been silent for" in headline(clerk.saga, STANDARD, clerk.now)
    assert owner(clerk.saga) == "service"
    assert decode_saga("clk_1", encode_state(clerk.saga), "{}", encode_more(clerk.saga)).stuck_before
    is_silent(clerk, 5).expect_stuck("undo_failing", "no_answer")
    assert clerk.saga.stuck.since == NOON and not clerk.saga.stuck_before
    clerk.undone("credit").expect_stuck(None).undone("shopping").expect("canceled")


def test_a_retry_leaves_the_clerk_stuck_since_the_first_moment_until_it_is_answered() -> None:
    clerk = settling().later(seconds(60)).woke().expect_stuck("no_answer")
    clerk.later(hours(2)).happens(Operated(Retry(), "ida", "it is up")).expect_stuck("no_answer")
    assert clerk.saga.stuck is not None and clerk.saga.stuck.since == NOON + seconds(60)
    clerk.done("settle").expect("completed").expect_stuck(None)


def test_what_was_heard_is_kept_with_the_clerk_and_one_of_an_older_version_is_read_without() -> None:
    saga = settling().refused("settle", "ledger_closed").saga
    state, document, more = encode_state(saga), encode_document(saga.document), encode_more(saga)
    assert saga.last_heard is not None and saga.last_heard.code == "ledger_closed"
    assert decode_saga(saga.id, state, document, more).last_heard == saga.last_heard
    older = decode_saga(saga.id, state, document, None)
    late = decide(STANDARD, older, Woke(), NOON + seconds(60), POLICY).saga
    assert late.stuck is not None
    assert (late.stuck.kind, late.stuck.code) == ("overdue", "refused")
