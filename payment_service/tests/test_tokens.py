"""Each of the test provider's tokens, through worker, gateway and provider, with a brought token and by hand."""

from __future__ import annotations

from domain.refusals import Refused
from payment_service.ledger import Sums
from payment_service.tests.harness import CLERK, PaymentHarness, command

PAID = {
    "status": "authorized",
    "amount": 2590,
    "reference": "pay_0193a0000000700080000000000000aa",
    "card": {"brand": "visa", "last4": "4242"},
}


def test_a_brought_token_authorises_without_a_person(harness: PaymentHarness) -> None:
    [reply] = harness.send(command("AuthorizePayment", token="tok_ok"))

    assert reply.outcome == "done"
    assert reply.document["payment"] == PAID
    assert reply.document["x"] == [1]
    assert harness.sums() == Sums(authorized=2590)


def test_D4_and_U4_the_pivot_takes_the_recorded_amount_whatever_the_document_claims(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))

    [reply] = harness.send(command("CapturePayment", total=1))

    assert (reply.outcome, reply.step, reply.document["payment"]) == ("done", "capture", PAID | {"status": "captured"})
    assert harness.sums() == Sums(authorized=2590, captured=2590)


def test_a_declined_brought_token_refuses_the_step_and_keeps_nothing_authorised(harness: PaymentHarness) -> None:
    [reply] = harness.send(command("AuthorizePayment", token="tok_declined"))

    assert reply.outcome == "refused"
    assert reply.refusal == Refused("card_declined", "the card was declined")
    assert harness.sums() == Sums()


def test_an_unknown_token_is_declined_and_says_so(harness: PaymentHarness) -> None:
    [reply] = harness.send(command("AuthorizePayment", token="tok_nobody_knows"))

    assert reply.refusal == Refused("card_declined", "the provider does not know this token")


def test_a_clear_no_at_the_capture_refuses_and_the_undo_voids(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_capture_refused"))

    [refused] = harness.send(command("CapturePayment"))
    [undone] = harness.send(command("VoidPayment"))

    assert refused.refusal == Refused("capture_refused", "the card's bank refused to capture")
    assert (undone.outcome, undone.document["payment"]["status"]) == ("undone", "voided")
    assert harness.sums() == Sums(authorized=2590, voided=2590)


def test_a_slow_answer_comes_after_three_seconds_and_holds_up_nobody(harness: PaymentHarness) -> None:
    other = CLERK.replace("aa", "bb")
    [quick] = harness.send(
        command("AuthorizePayment", token="tok_slow"), command("AuthorizePayment", token="tok_ok", clerk=other)
    )
    assert quick.clerk == other

    assert harness.passes(2750) == []
    [slow] = harness.passes(250)

    assert (slow.clerk, slow.outcome) == (CLERK, "done")
    assert harness.asked() == ["authorize/1", "authorize/1"]


def test_a_lost_answer_is_asked_again_under_the_same_key_and_charges_once(harness: PaymentHarness) -> None:
    assert harness.send(command("AuthorizePayment", token="tok_lost")) == []
    [authorised] = harness.passes(500)
    assert harness.send(command("CapturePayment")) == []
    [captured] = harness.passes(500)

    assert (authorised.outcome, captured.outcome) == ("done", "done")
    assert harness.asked() == ["authorize/1", "authorize/1", "capture/2", "capture/2"]
    assert harness.sums() == Sums(authorized=2590, captured=2590)


def test_a_provider_that_is_down_is_asked_again_with_growing_pauses_until_it_answers(harness: PaymentHarness) -> None:
    assert harness.send(command("AuthorizePayment", token="tok_down")) == []
    assert harness.passes(10_000) == []
    assert harness.asked() == ["authorize/1"] * 5  # at once, then after 0.5, 1, 2 and 4 seconds more

    [reply] = harness.passes(6_000)

    assert reply.outcome == "done"
    assert set(harness.asked()) == {"authorize/1"}
    assert harness.sums() == Sums(authorized=2590)


def test_no_answer_at_the_pivot_is_asked_again_without_end_and_never_refused(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.provider.deaf = True

    assert harness.send(command("CapturePayment")) == []
    assert harness.passes(600_000) == []
    harness.provider.deaf = False
    [reply] = harness.passes(40_000)

    assert reply.outcome == "done"
    assert set(harness.asked()) == {"authorize/1", "capture/2"}
    assert harness.sums() == Sums(authorized=2590, captured=2590)


def test_the_same_command_again_gets_the_same_answer_and_moves_nothing(harness: PaymentHarness) -> None:
    first = harness.send(command("AuthorizePayment", token="tok_ok"))

    again = harness.send(command("AuthorizePayment", token="tok_ok"), command("AuthorizePayment", token="tok_ok"))

    assert again == first * 2
    assert harness.asked() == ["authorize/1"]


def test_a_crash_after_the_commit_loses_no_call(harness: PaymentHarness) -> None:
    harness.record(command("AuthorizePayment", token="tok_ok"))
    harness.restart()

    harness.gateway.hand_over_due(everything=True)
    [reply] = harness.settle()

    assert reply.outcome == "done"
    assert harness.asked() == ["authorize/1"]


def test_a_crash_between_the_provider_and_us_repeats_the_key(harness: PaymentHarness) -> None:
    harness.record(command("AuthorizePayment", token="tok_ok"))
    harness.work_queue.committed()
    harness.gateway.hand_over(harness.work_queue.take(0).keys)
    harness.restart()

    harness.gateway.hand_over_due(everything=True)
    [reply] = harness.settle()

    assert reply.outcome == "done"
    assert harness.asked() == ["authorize/1", "authorize/1"]
    assert harness.sums() == Sums(authorized=2590)


def test_a_transaction_that_was_rolled_back_hands_over_nothing(harness: PaymentHarness) -> None:
    harness.rolls_back(command("AuthorizePayment", token="tok_ok"))
    harness.work_queue.committed()

    assert harness.settle() == []
    assert harness.asked() == []


def test_an_answer_of_a_silent_provider_is_waited_for_and_then_asked_for_again(harness: PaymentHarness) -> None:
    harness.provider.deaf = True
    harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.provider.deaf = False

    [reply] = harness.passes(9_000)

    assert reply.outcome == "done"
    assert harness.asked() == ["authorize/1", "authorize/1"]
