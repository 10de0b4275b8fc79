"""The invoice: collected after the pivot, so nothing refuses any more; not paid in time is a loss."""

from __future__ import annotations

from payment_service.ledger import Sums
from payment_service.tests.harness import (
    CLERK,
    START,
    PaymentHarness,
    command,
)


def test_a_customer_pays_the_invoice_at_once(harness: PaymentHarness) -> None:
    assert harness.send(command("CollectPayment")) == []
    harness.pays("tok_ok")

    [reply] = harness.settle()

    assert (reply.outcome, reply.name, reply.document["payment"]["status"]) == ("done", "CollectPayment", "captured")
    assert "late" not in reply.document["payment"]
    assert harness.sums() == Sums(authorized=2590, captured=2590)


def test_a_declined_brought_token_does_not_refuse_but_waits_for_the_customer(harness: PaymentHarness) -> None:
    assert harness.send(command("CollectPayment", token="tok_declined")) == []
    assert harness.payment().status == "waiting"

    harness.pays("tok_ok")
    [reply] = harness.settle()

    assert reply.outcome == "done"


def test_an_unpaid_invoice_is_lost(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment"))

    [reply] = harness.send(command("WriteOffPayment", attempt=2))

    assert (reply.outcome, reply.name, reply.attempt) == ("done", "WriteOffPayment", 2)
    assert reply.document["payment"]["status"] == "lost"
    assert reply.document["payment"]["amount"] == 2590
    assert harness.payments.pay(CLERK, "tok_ok").code == "session_ended"  # type: ignore[union-attr]  # it is refused


def test_an_invoice_that_was_paid_is_not_written_off(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment", token="tok_ok"))

    [reply] = harness.send(command("WriteOffPayment", attempt=2))

    assert (reply.outcome, reply.document["payment"]["status"]) == ("done", "captured")


def test_a_charge_under_way_decides_whether_it_is_late_or_lost(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment", token="tok_slow"))
    assert harness.send(command("WriteOffPayment", attempt=2)) == []

    [reply] = harness.passes(3_000)

    assert (reply.name, reply.attempt, reply.outcome) == ("WriteOffPayment", 2, "done")
    assert (reply.document["payment"]["status"], reply.document["payment"]["late"]) == ("captured", True)


def test_a_declined_charge_under_way_when_the_time_is_over_is_lost(harness: PaymentHarness) -> None:
    harness.record(command("CollectPayment", token="tok_declined"))
    harness.record(command("WriteOffPayment", attempt=2))
    harness.work_queue.committed()

    [reply] = harness.settle()

    assert (reply.name, reply.document["payment"]["status"]) == ("WriteOffPayment", "lost")


def test_a_charge_answered_after_the_deadline_is_late(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment", deadline=START + 1000))
    harness.now += 900
    harness.pays("tok_slow")
    harness.settle()

    [reply] = harness.passes(3_000)

    assert reply.document["payment"]["late"] is True


def test_a_write_off_that_overtakes_the_collect_stands(harness: PaymentHarness) -> None:
    harness.send(command("WriteOffPayment", attempt=2))

    [reply] = harness.send(command("CollectPayment"))

    assert (reply.outcome, reply.document["payment"]["status"]) == ("done", "lost")
    assert harness.asked() == []
