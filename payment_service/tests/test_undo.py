"""Undoing: while the outcome is unknown, while the provider is away, and money that moved after the end."""

from __future__ import annotations

from dataclasses import replace

from domain.refusals import Refused
from payment_service.ledger import Sums
from payment_service.provider import ProviderAnswer
from payment_service.tests.harness import CLERK, PaymentHarness, command


def test_an_undo_of_what_was_never_asked_keeps_nothing(harness: PaymentHarness) -> None:
    [undone] = harness.send(command("VoidPayment"))
    [refused] = harness.send(command("AuthorizePayment", token="tok_ok"))

    assert (undone.outcome, undone.document["payment"]) == ("undone", {"status": "none", "amount": 0})
    assert (refused.outcome, refused.refusal and refused.refusal.code) == ("refused", "called_off")
    assert not harness.has_payment()
    assert harness.asked() == []


def test_an_undo_before_the_customer_paid_needs_no_provider(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))

    [undone] = harness.send(command("VoidPayment"))

    assert undone.document["payment"] == {"status": "none", "amount": 0}
    assert harness.asked() == []
    assert harness.payments.pay(CLERK, "tok_ok") == Refused(
        "session_ended", "this payment has ended, nothing was charged: open a new session"
    )


def test_an_undo_while_the_authorisation_is_under_way_voids_for_sure_and_only_then_answers(
    harness: PaymentHarness,
) -> None:
    harness.send(command("AuthorizePayment", token="tok_slow"))

    [undone] = harness.send(command("VoidPayment"))

    assert undone.outcome == "undone"
    assert harness.passes(5_000) == []
    assert harness.sums() == Sums()  # the slow card came to a fenced payment
    assert harness.asked() == ["authorize/1", "void/2"]
    assert harness.payment().status == "closed"


def test_an_undo_before_the_call_was_handed_over_leaves_only_the_void(harness: PaymentHarness) -> None:
    harness.record(command("AuthorizePayment", token="tok_ok"))
    [undone] = harness.send(command("VoidPayment"))

    assert undone.outcome == "undone"
    assert harness.asked() == ["void/2"]
    assert harness.sums() == Sums()


def test_do_and_undo_in_one_batch_leave_only_the_void(harness: PaymentHarness) -> None:
    [undone] = harness.send(command("AuthorizePayment", token="tok_ok"), command("VoidPayment"))

    assert undone.outcome == "undone"
    assert harness.asked() == ["void/2"]


def test_a_lost_authorisation_is_found_by_the_void(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_lost"))

    assert harness.send(command("VoidPayment")) == []
    [undone] = harness.passes(1_000)

    assert (undone.outcome, undone.document["payment"]["status"]) == ("undone", "voided")
    assert harness.sums() == Sums(authorized=2590, voided=2590)
    assert (harness.payment().authorized, harness.payment().voided) == (2590, 2590)


def test_an_undo_without_an_answer_fails_for_now_and_a_later_attempt_finds_it_done(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_down"))

    assert harness.send(command("VoidPayment")) == []
    [failing] = harness.passes(2_000)
    assert failing.refusal and failing.refusal.code == "provider_unavailable"
    assert harness.passes(30_000) == []  # the service went on by itself; nobody waits for an answer
    [undone] = harness.send(command("VoidPayment", attempt=2))

    assert (undone.outcome, undone.attempt) == ("undone", 2)
    assert [key for key in harness.asked() if key.startswith("void")] == ["void/2"] * 6
    assert harness.sums() == Sums()


def test_the_next_attempt_of_a_failing_undo_gets_fresh_tries_under_the_same_key(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.provider.rewrite = lambda answer: ProviderAnswer(answer.key, "no_answer", reason="away")
    harness.send(command("VoidPayment"))
    harness.passes(120_000)
    before = harness.asked().count("void/2")

    harness.send(command("VoidPayment", attempt=2))
    [failing] = harness.passes(3_000)

    assert (failing.attempt, failing.refusal and failing.refusal.code) == (2, "provider_unavailable")
    assert harness.asked().count("void/2") == before + 3


def test_a_double_of_the_do_does_not_disturb_the_undo(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_down"))
    harness.send(command("VoidPayment"))
    harness.send(command("AuthorizePayment", token="tok_down"))

    replies = harness.passes(20_000)
    [undone] = harness.send(command("VoidPayment", attempt=2))

    assert [reply for reply in replies if reply.direction == "do"] == []
    assert undone.outcome == "undone"
    assert harness.payment().status == "closed"


def test_a_captured_payment_is_refunded(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.send(command("CapturePayment"))

    [undone] = harness.send(command("VoidPayment"))

    assert undone.document["payment"]["status"] == "refunded"
    assert harness.sums() == Sums(authorized=2590, captured=2590, refunded=2590)


def test_an_undo_while_the_capture_is_under_way_gives_back_what_was_taken(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.provider.rewrite = lambda answer: ProviderAnswer(answer.key, "no_answer")
    harness.send(command("CapturePayment"))
    harness.provider.rewrite = lambda answer: answer

    replies = harness.send(command("VoidPayment"))

    assert {(each.step, each.outcome) for each in replies} == {("payment", "undone"), ("capture", "refused")}
    assert harness.sums() == Sums(authorized=2590, captured=2590, refunded=2590)
    assert harness.trail() == ["authorized", "captured", "refunded"]


def test_a_provider_that_refuses_to_give_back_is_asked_under_a_new_key_with_the_next_attempt(
    harness: PaymentHarness,
) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.provider.rewrite = lambda answer: replace(
        answer, outcome="declined", amount=None, reason="closed for today"
    )
    [failing] = harness.send(command("VoidPayment"))
    harness.provider.rewrite = lambda answer: replace(answer, amount=2590)

    [undone] = harness.send(command("VoidPayment", attempt=2))

    assert failing.refusal == Refused(
        "provider_refused", "the provider refused to give the money back: closed for today"
    )
    assert undone.outcome == "undone"
    assert harness.asked() == ["authorize/1", "void/2", "void/3"]


def test_money_that_moved_after_the_end_goes_back_by_itself_with_a_note(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_slow"))
    harness.send(command("VoidPayment"))
    assert harness.payment().status == "closed"

    harness.work_queue.answered([ProviderAnswer(f"{CLERK}/payment/authorize/1", "approved")])
    assert harness.settle() == []

    assert harness.asked() == ["authorize/1", "void/2", "void/3"]
    assert harness.trail() == ["closed", "late_approved", "voided"]
