"""What payment reports while a customer's payment is not decided: the provider is asked, a card was declined (M9)."""

from __future__ import annotations

from typing import Any

from domain.times import to_wire
from payment_service.provider import ProviderAnswer
from payment_service.tests.harness import START, PaymentHarness, command

AUTHORIZING = {"status": "authorizing", "amount": 2590}


def sections(harness: PaymentHarness) -> list[dict[str, Any]]:
    return [report.document["payment"] for report in harness.reports]


def declined_at(moment: int) -> dict[str, str]:
    return {"code": "card_declined", "detail": "the card was declined", "at": to_wire(moment)}


def test_M9_a_declined_card_is_reported_and_kept_until_another_one_is_authorised(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))
    harness.pays("tok_declined")
    harness.settle()
    again = {"status": "none", "amount": 0, "last_error": declined_at(START)}
    assert sections(harness) == [AUTHORIZING, again]
    harness.now += 500
    harness.pays("tok_ok")
    [done] = harness.settle()
    assert sections(harness)[2:] == [{**AUTHORIZING, "last_error": declined_at(START)}]
    assert [report.report for report in harness.reports] == [1, 2, 3]
    assert done.document["payment"]["status"] == "authorized"
    assert "last_error" not in done.document["payment"]


def test_M9_a_provider_that_takes_longer_than_a_second_is_reported(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_slow"))
    for passed in range(0, 3_000, 250):
        harness.passes(250)
        harness.under_way.tick()
        harness.replies()
        assert sections(harness) == ([AUTHORIZING] if passed >= 750 else [])


def test_a_quick_answer_of_the_provider_is_not_reported(harness: PaymentHarness) -> None:
    [reply] = harness.send(command("AuthorizePayment", token="tok_ok"))
    harness.passes(3_000)
    harness.under_way.tick()
    assert (reply.outcome, harness.reports) == ("done", [])


def test_a_refused_card_that_was_brought_along_leaves_no_authorizing_behind(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_down"))
    harness.passes(1_000)
    harness.under_way.tick()
    harness.replies()
    assert sections(harness) == [AUTHORIZING]
    harness.gateway.take_in([ProviderAnswer(harness.provider.calls[0].key, "declined", reason="no")])
    [reply] = harness.replies()
    assert (reply.outcome, reply.document["payment"]) == ("refused", {"status": "none", "amount": 0})


def test_a_restarted_process_tells_again_and_nobody_hears_anything_new(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))
    harness.pays("tok_down")
    harness.replies()
    harness.restart()
    harness.passes(2_000)
    harness.under_way.tick()
    harness.replies()
    assert sections(harness) == [AUTHORIZING]


def test_an_invoice_is_reported_too(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment", deadline=None))
    harness.pays("tok_declined")
    harness.settle()
    assert [section["status"] for section in sections(harness)] == ["authorizing", "none"]


def test_S5_the_last_card_that_is_taken_refuses_the_step(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment"))
    for _ in range(20):
        harness.pays("tok_declined")
        replies = harness.settle()
    [reply] = replies
    assert (reply.outcome, reply.document["payment"]) == ("refused", {"status": "none", "amount": 0})
    assert reply.refusal is not None and reply.refusal.code == "too_many_cards"
    assert sections(harness)[-1]["last_error"]["code"] == "card_declined"


def test_S5_an_invoice_refuses_nothing_and_reports_that_it_takes_no_other_card(harness: PaymentHarness) -> None:
    harness.send(command("CollectPayment", deadline=None))
    for _ in range(20):
        harness.pays("tok_declined")
        assert harness.settle() == []
    codes = [section["last_error"]["code"] for section in sections(harness) if section["status"] == "none"]
    assert codes == ["card_declined"] * 19 + ["too_many_cards"]
    [lost] = harness.send(command("WriteOffPayment", attempt=2))
    assert (lost.outcome, lost.document["payment"]["status"]) == ("done", "lost")


def test_nothing_is_reported_of_a_payment_that_is_being_undone(harness: PaymentHarness) -> None:
    harness.send(command("AuthorizePayment", token="tok_down"))
    harness.send(command("VoidPayment"))
    harness.passes(2_000)
    harness.under_way.tick()
    harness.replies()
    assert harness.reports == []
