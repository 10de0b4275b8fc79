"""An order that comes to nothing: payment answers at once, keeps nothing and asks nobody (docs/decisions/080)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.handlers import capture_payment
from payment_service.payment import NOTHING
from payment_service.store import PaymentUnitOfWork
from payment_service.tests.harness import CLERK, PaymentHarness, command

QUESTIONS = ["AuthorizePayment", "CapturePayment", "CollectPayment", "WriteOffPayment"]


@pytest.mark.parametrize("token", [None, "tok_ok", "tok_declined", "tok_down"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_an_order_of_nothing_is_paid_at_once_and_the_provider_hears_of_none(
    harness: PaymentHarness, name: str, token: str | None
) -> None:
    (reply,) = harness.send(command(name, total=0, token=token))
    assert (reply.outcome, reply.document["payment"]) == ("done", NOTHING)
    assert harness.asked() == []
    assert harness.payments.find(CLERK, lambda _secret: True) is None


def test_it_is_undone_like_what_was_never_there(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", total=0))
    (reply,) = harness.send(command("VoidPayment", total=0))
    assert (reply.outcome, reply.document["payment"]) == ("undone", NOTHING)


@given(total=st.integers(1, 2**53 - 1))
def test_what_costs_something_still_has_to_be_authorised_before_it_is_captured(total: int) -> None:
    outcome = capture_payment(command("CapturePayment", total=total), PaymentUnitOfWork({}, lambda _keys: None), 0)
    assert getattr(outcome, "code", None) == "capture_refused"
