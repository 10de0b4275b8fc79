"""What a customer sees and does over HTTP."""

from __future__ import annotations

import pytest

from domain.refusals import Refused
from payment_service.payment import pay
from payment_service.tests.harness import (
    CLERK,
    SECRET,
    START,
    PaymentHarness,
    command,
)
from payment_service.use_cases import PaymentAnswer


def test_a_declined_card_may_be_followed_by_another_one(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))
    harness.pays("tok_declined")
    assert harness.settle() == []
    assert harness.payment().declined == "the card was declined"

    harness.pays("tok_ok")
    [reply] = harness.settle()

    assert reply.outcome == "done"
    assert harness.asked() == ["authorize/1", "authorize/2"]


def test_a_second_payment_while_one_is_under_way_is_no_second_authorisation(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))

    first, second = harness.pays("tok_ok"), harness.pays("tok_ok")
    harness.settle()
    third = harness.pays("tok_slow")

    assert (first.status, second.status, third.status) == ("authorizing", "authorizing", "authorized")
    assert harness.settle() == []
    assert harness.asked() == ["authorize/1"]


@pytest.mark.parametrize("name", ["AuthorizePayment", "CollectPayment"])
def test_another_card_while_one_is_asked_is_told_that_it_is_not_tried(harness: PaymentHarness, name: str) -> None:
    harness.send(command(name))
    harness.pays("tok_declined")

    other = harness.payments.pay(CLERK, "tok_ok")
    assert isinstance(other, Refused) and other.code == "payment_in_flight"
    harness.settle()
    assert harness.asked() in (["authorize/1"], ["charge/1"])

    harness.pays("tok_ok")
    [reply] = harness.settle()
    assert reply.outcome == "done"


def test_nobody_pays_after_the_deadline_whether_or_not_the_undo_has_come(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", deadline=START + 1000))
    harness.now += 1000

    assert harness.pays("tok_ok") == Refused(
        "session_ended", "the time to pay is over, nothing was charged: open a new session"
    )
    assert harness.asked() == []


def test_the_payment_shows_what_the_customer_may_know(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))
    harness.pays("tok_declined")
    harness.settle()

    found = harness.payments.find(CLERK, lambda secret: secret == SECRET)

    assert found is not None
    assert harness.payments.pay(CLERK, "tok_ok") == PaymentAnswer(
        session=CLERK,
        amount=2590,
        currency="EUR",
        status="authorizing",
        card=None,
        expires_at="2025-11-24T16:15:00.000Z",
        declined=None,
    )


def test_a_foreign_and_an_unknown_payment_are_both_not_there(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))

    assert harness.payments.find(CLERK, lambda secret: False) is None
    assert harness.payments.find("clk_unknown", lambda secret: True) is None


def test_after_a_declined_single_try_the_payment_has_ended(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_declined"))

    refused = pay(harness.payment(), "tok_ok", harness.now)

    assert isinstance(refused, Refused)
    assert refused.code == "session_ended"


def test_a_step_that_is_asked_anew_may_be_paid_until_its_new_deadline(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", deadline=START + 1000))
    harness.send(command("AuthorizePayment", attempt=2, deadline=START + 9000))
    harness.now += 5000

    harness.pays("tok_ok")
    [reply] = harness.settle()

    assert (reply.outcome, reply.attempt) == ("done", 2)
