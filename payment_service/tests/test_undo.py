"""Undoing: while the outcome is unknown, while the provider is away, and money that moved after the end."""

from __future__ import annotations

from dataclasses import replace

from domain.refusals import Refused
from payment_service.ledger import Sums
from payment_service.provider import Answer
from payment_service.tests.room import CLERK, Room, command


def test_an_undo_of_what_was_never_asked_keeps_nothing(room: Room) -> None:
    [undone] = room.send(command("VoidPayment"))
    [refused] = room.send(command("AuthorizePayment", token="tok_ok"))

    assert (undone.outcome, undone.document["payment"]) == ("undone", {"status": "none", "amount": 0})
    assert (refused.outcome, refused.refusal and refused.refusal.code) == ("refused", "called_off")
    assert not room.has_payment()
    assert room.asked() == []


def test_an_undo_before_the_customer_paid_needs_no_provider(room: Room) -> None:
    room.send(command("AuthorizePayment"))

    [undone] = room.send(command("VoidPayment"))

    assert undone.document["payment"] == {"status": "none", "amount": 0}
    assert room.asked() == []
    assert room.till.pay(CLERK, "tok_ok") == Refused("session_ended", "this payment has ended; nothing was charged")


def test_an_undo_while_the_authorisation_is_under_way_voids_for_sure_and_only_then_answers(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_slow"))

    [undone] = room.send(command("VoidPayment"))

    assert undone.outcome == "undone"
    assert room.passes(5_000) == []
    assert room.sums() == Sums()  # the slow card came to a fenced payment
    assert room.asked() == ["authorize/1", "void/2"]
    assert room.payment().status == "closed"


def test_an_undo_before_the_call_was_handed_over_leaves_only_the_void(room: Room) -> None:
    room.record(command("AuthorizePayment", token="tok_ok"))
    [undone] = room.send(command("VoidPayment"))

    assert undone.outcome == "undone"
    assert room.asked() == ["void/2"]
    assert room.sums() == Sums()


def test_do_and_undo_in_one_batch_leave_only_the_void(room: Room) -> None:
    [undone] = room.send(command("AuthorizePayment", token="tok_ok"), command("VoidPayment"))

    assert undone.outcome == "undone"
    assert room.asked() == ["void/2"]


def test_a_lost_authorisation_is_found_by_the_void(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_lost"))

    assert room.send(command("VoidPayment")) == []
    [undone] = room.passes(1_000)

    assert (undone.outcome, undone.document["payment"]["status"]) == ("undone", "voided")
    assert room.sums() == Sums(authorized=2590, voided=2590)
    assert (room.payment().authorized, room.payment().voided) == (2590, 2590)


def test_an_undo_without_an_answer_fails_for_now_and_a_later_attempt_finds_it_done(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_down"))

    assert room.send(command("VoidPayment")) == []
    [failing] = room.passes(2_000)
    assert failing.refusal and failing.refusal.code == "provider_unavailable"
    assert room.passes(30_000) == []  # the service went on by itself; nobody waits for an answer
    [undone] = room.send(command("VoidPayment", attempt=2))

    assert (undone.outcome, undone.attempt) == ("undone", 2)
    assert [key for key in room.asked() if key.startswith("void")] == ["void/2"] * 6
    assert room.sums() == Sums()


def test_the_next_attempt_of_a_failing_undo_gets_fresh_tries_under_the_same_key(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.provider.rewrite = lambda answer: Answer(answer.key, "no_answer", reason="away")
    room.send(command("VoidPayment"))
    room.passes(120_000)
    before = room.asked().count("void/2")

    room.send(command("VoidPayment", attempt=2))
    [failing] = room.passes(3_000)

    assert (failing.attempt, failing.refusal and failing.refusal.code) == (2, "provider_unavailable")
    assert room.asked().count("void/2") == before + 3


def test_a_double_of_the_do_does_not_disturb_the_undo(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_down"))
    room.send(command("VoidPayment"))
    room.send(command("AuthorizePayment", token="tok_down"))

    replies = room.passes(20_000)
    [undone] = room.send(command("VoidPayment", attempt=2))

    assert [reply for reply in replies if reply.direction == "do"] == []
    assert undone.outcome == "undone"
    assert room.payment().status == "closed"


def test_a_captured_payment_is_refunded(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.send(command("CapturePayment"))

    [undone] = room.send(command("VoidPayment"))

    assert undone.document["payment"]["status"] == "refunded"
    assert room.sums() == Sums(authorized=2590, captured=2590, refunded=2590)


def test_an_undo_while_the_capture_is_under_way_gives_back_what_was_taken(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.provider.rewrite = lambda answer: Answer(answer.key, "no_answer")
    room.send(command("CapturePayment"))
    room.provider.rewrite = lambda answer: answer

    replies = room.send(command("VoidPayment"))

    assert {(each.step, each.outcome) for each in replies} == {("payment", "undone"), ("capture", "refused")}
    assert room.sums() == Sums(authorized=2590, captured=2590, refunded=2590)
    assert room.trail() == ["authorized", "captured", "refunded"]


def test_a_provider_that_refuses_to_give_back_is_asked_under_a_new_key_with_the_next_attempt(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.provider.rewrite = lambda answer: replace(answer, outcome="declined", amount=None, reason="closed for today")
    [failing] = room.send(command("VoidPayment"))
    room.provider.rewrite = lambda answer: replace(answer, amount=2590)

    [undone] = room.send(command("VoidPayment", attempt=2))

    assert failing.refusal == Refused(
        "provider_refused", "the provider refused to give the money back: closed for today"
    )
    assert undone.outcome == "undone"
    assert room.asked() == ["authorize/1", "void/2", "void/3"]


def test_money_that_moved_after_the_end_goes_back_by_itself_with_a_note(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_slow"))
    room.send(command("VoidPayment"))
    assert room.payment().status == "closed"

    room.mailbox.answered([Answer(f"{CLERK}/payment/authorize/1", "approved")])
    assert room.settle() == []

    assert room.asked() == ["authorize/1", "void/2", "void/3"]
    assert room.trail() == ["closed", "late_approved", "voided"]
