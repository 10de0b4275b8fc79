"""Each of the test provider's tokens, through desk, calls and provider, with a brought token and by hand."""

from __future__ import annotations

from domain.refusals import Refused
from payment_service.ledger import Sums
from payment_service.tests.room import CLERK, Room, command

PAID = {
    "status": "authorized",
    "amount": 2590,
    "reference": "pay_0193a0000000700080000000000000aa",
    "card": {"brand": "visa", "last4": "4242"},
}


def test_a_brought_token_authorises_without_a_person(room: Room) -> None:
    [reply] = room.send(command("AuthorizePayment", token="tok_ok"))

    assert reply.outcome == "done"
    assert reply.document["payment"] == PAID
    assert reply.document["x"] == [1]
    assert room.sums() == Sums(authorized=2590)


def test_D4_and_U4_the_pivot_takes_the_recorded_amount_whatever_the_document_claims(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))

    [reply] = room.send(command("CapturePayment", total=1))

    assert (reply.outcome, reply.step, reply.document["payment"]) == ("done", "capture", PAID | {"status": "captured"})
    assert room.sums() == Sums(authorized=2590, captured=2590)


def test_a_declined_brought_token_refuses_the_step_and_keeps_nothing_authorised(room: Room) -> None:
    [reply] = room.send(command("AuthorizePayment", token="tok_declined"))

    assert reply.outcome == "refused"
    assert reply.refusal == Refused("card_declined", "the card was declined")
    assert room.sums() == Sums()


def test_an_unknown_token_is_declined_and_says_so(room: Room) -> None:
    [reply] = room.send(command("AuthorizePayment", token="tok_nobody_knows"))

    assert reply.refusal == Refused("card_declined", "the provider does not know this token")


def test_a_clear_no_at_the_capture_refuses_and_the_undo_voids(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_capture_refused"))

    [refused] = room.send(command("CapturePayment"))
    [undone] = room.send(command("VoidPayment"))

    assert refused.refusal == Refused("capture_refused", "the card's bank refused to capture")
    assert (undone.outcome, undone.document["payment"]["status"]) == ("undone", "voided")
    assert room.sums() == Sums(authorized=2590, voided=2590)


def test_a_slow_answer_comes_after_three_seconds_and_holds_up_nobody(room: Room) -> None:
    other = CLERK.replace("aa", "bb")
    [quick] = room.send(
        command("AuthorizePayment", token="tok_slow"), command("AuthorizePayment", token="tok_ok", clerk=other)
    )
    assert quick.clerk == other

    assert room.passes(2750) == []
    [slow] = room.passes(250)

    assert (slow.clerk, slow.outcome) == (CLERK, "done")
    assert room.asked() == ["authorize/1", "authorize/1"]


def test_a_lost_answer_is_asked_again_under_the_same_key_and_charges_once(room: Room) -> None:
    assert room.send(command("AuthorizePayment", token="tok_lost")) == []
    [authorised] = room.passes(500)
    assert room.send(command("CapturePayment")) == []
    [captured] = room.passes(500)

    assert (authorised.outcome, captured.outcome) == ("done", "done")
    assert room.asked() == ["authorize/1", "authorize/1", "capture/2", "capture/2"]
    assert room.sums() == Sums(authorized=2590, captured=2590)


def test_a_provider_that_is_down_is_asked_again_with_growing_pauses_until_it_answers(room: Room) -> None:
    assert room.send(command("AuthorizePayment", token="tok_down")) == []
    assert room.passes(10_000) == []
    assert room.asked() == ["authorize/1"] * 5  # at once, then after 0.5, 1, 2 and 4 seconds more

    [reply] = room.passes(6_000)

    assert reply.outcome == "done"
    assert set(room.asked()) == {"authorize/1"}
    assert room.sums() == Sums(authorized=2590)


def test_no_answer_at_the_pivot_is_asked_again_without_end_and_never_refused(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.provider.deaf = True

    assert room.send(command("CapturePayment")) == []
    assert room.passes(600_000) == []
    room.provider.deaf = False
    [reply] = room.passes(40_000)

    assert reply.outcome == "done"
    assert set(room.asked()) == {"authorize/1", "capture/2"}
    assert room.sums() == Sums(authorized=2590, captured=2590)


def test_the_same_command_again_gets_the_same_answer_and_moves_nothing(room: Room) -> None:
    first = room.send(command("AuthorizePayment", token="tok_ok"))

    again = room.send(command("AuthorizePayment", token="tok_ok"), command("AuthorizePayment", token="tok_ok"))

    assert again == first * 2
    assert room.asked() == ["authorize/1"]


def test_a_crash_after_the_commit_loses_no_call(room: Room) -> None:
    room.record(command("AuthorizePayment", token="tok_ok"))
    room.restart()

    room.calls.hand_over_due(everything=True)
    [reply] = room.settle()

    assert reply.outcome == "done"
    assert room.asked() == ["authorize/1"]


def test_a_crash_between_the_provider_and_us_repeats_the_key(room: Room) -> None:
    room.record(command("AuthorizePayment", token="tok_ok"))
    room.mailbox.committed()
    room.calls.hand_over(room.mailbox.take(0).keys)
    room.restart()

    room.calls.hand_over_due(everything=True)
    [reply] = room.settle()

    assert reply.outcome == "done"
    assert room.asked() == ["authorize/1", "authorize/1"]
    assert room.sums() == Sums(authorized=2590)


def test_a_transaction_that_was_rolled_back_hands_over_nothing(room: Room) -> None:
    room.rolls_back(command("AuthorizePayment", token="tok_ok"))
    room.mailbox.committed()

    assert room.settle() == []
    assert room.asked() == []


def test_an_answer_of_a_silent_provider_is_waited_for_and_then_asked_for_again(room: Room) -> None:
    room.provider.deaf = True
    room.send(command("AuthorizePayment", token="tok_ok"))
    room.provider.deaf = False

    [reply] = room.passes(9_000)

    assert reply.outcome == "done"
    assert room.asked() == ["authorize/1", "authorize/1"]
