"""The rules alone: whatever the order of people, commands, calls and answers, the money adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusals import Refused
from payment_service.ledger import LedgerEntry, new_entry, sums_of
from payment_service.payment import (
    ASKING,
    ENDED,
    Payment,
    Transition,
    answered,
    ask,
    call_off,
    capture,
    pay,
    section,
    write_off,
)
from payment_service.provider import Call, Card, ProviderAnswer

OPEN = Payment("clk_1", "payment", "pay_1", "waiting", 2590, "EUR", "5e", deadline=1000)
VISA = Card("visa", "4242")


def approved(transition: Transition, now: int = 1) -> Payment:
    assert transition.call is not None
    return answered(
        transition.payment, transition.call, ProviderAnswer(transition.call.key, "approved", card=VISA), now
    ).payment


def test_every_try_is_a_new_intention_under_a_new_key() -> None:
    first = pay(OPEN, "tok_a", 1)
    assert isinstance(first, Transition) and first.call is not None
    declined = answered(first.payment, first.call, ProviderAnswer(first.call.key, "declined", reason="no"), 2).payment

    second = pay(declined, "tok_b", 3)

    assert isinstance(second, Transition)
    assert second.call == Call("clk_1/payment/authorize/2", "authorize", "pay_1", 2590, "EUR", "tok_b")
    assert (declined.status, declined.declined, second.payment.declined) == ("waiting", "no", None)


@pytest.mark.parametrize("collects", [False, True], ids=["standard", "invoice"])
def test_S5_twenty_cards_may_be_declined_and_no_other_one_is_tried(collects: bool) -> None:
    payment = replace(OPEN, collects=collects)
    for number in range(20):
        tried = pay(payment, f"tok_{number}", 1)
        assert isinstance(tried, Transition) and tried.call is not None
        payment = answered(
            tried.payment, tried.call, ProviderAnswer(tried.call.key, "declined", reason="no"), 2
        ).payment
    refused = pay(payment, "tok_ok", 3)
    assert isinstance(refused, Refused) and refused.code == "too_many_cards"
    assert payment.status == ("waiting" if collects else "declined")
    closed = call_off(payment).payment
    again = pay(closed, "tok_ok", 4)
    assert closed.status == "closed" and isinstance(again, Refused) and again.code == "too_many_cards"


def test_a_session_that_was_called_off_after_nineteen_declined_cards_has_ended_and_not_too_many() -> None:
    asked = pay(replace(OPEN, tries=19, declined="no"), "tok_ok", 1)
    assert isinstance(asked, Transition)
    voiding = call_off(asked.payment)
    assert voiding.call is not None
    closed = answered(voiding.payment, voiding.call, ProviderAnswer(voiding.call.key, "approved", amount=0), 2).payment
    refused = pay(closed, "tok_ok", 3)
    assert isinstance(refused, Refused) and refused.code == "session_ended"


def test_the_section_names_the_money_and_never_the_token() -> None:
    assert section(approved(ask(OPEN, "authorize", "tok_a"))) == {
        "status": "authorized",
        "amount": 2590,
        "reference": "pay_1",
        "card": {"brand": "visa", "last4": "4242"},
    }


@pytest.mark.parametrize("status", sorted(ENDED | {"voiding", "refunding", "return_refused"}))
def test_nobody_pays_after_the_end(status: str) -> None:
    outcome = pay(Payment("clk_1", "payment", "pay_1", status, 1, "EUR", "5e", None), "tok_a", 1)  # type: ignore[arg-type]  # any status

    assert isinstance(outcome, Refused)
    assert outcome.code == "session_ended"


def test_only_an_authorised_payment_is_captured() -> None:
    assert capture(OPEN, "capture").call is None
    assert capture(approved(ask(OPEN, "authorize", "tok_a")), "capture").call is not None


def test_a_paid_invoice_is_not_lost() -> None:
    paid = approved(ask(OPEN, "charge", "tok_a"))

    assert write_off(paid).payment.status == "captured"
    assert write_off(OPEN).payment.status == "lost"


class Story:
    """A payment, its provider, and everything that is on the way between them."""

    def __init__(self, collects: bool, brought: bool) -> None:
        self.payment = Payment("clk_1", "payment", "pay_1", "waiting", 2590, "EUR", "5e", None, collects, brought)
        self.ledger: list[LedgerEntry] = []
        self.calls: list[Call] = []
        self.answers: list[tuple[Call, ProviderAnswer]] = []
        self.settled: set[str] = set()
        if brought:
            self.apply(ask(self.payment, "charge" if collects else "authorize", "tok_ok"))

    def apply(self, transition: Transition | Refused) -> None:
        if isinstance(transition, Transition):
            self.payment = transition.payment
            self.calls += [transition.call] if transition.call else []

    def reach(self, number: int) -> None:
        """One of the calls ever made reaches the provider, perhaps not for the first time."""
        if self.calls:
            call = self.calls[number % len(self.calls)]
            entry = next((each for each in self.ledger if each.key == call.key), None)
            if entry is None:
                entry = new_entry(self.ledger, call, 1)
                self.ledger.append(entry)
            yes = entry.outcome == "approved"
            amount = entry.amount if yes or entry.kind == "void" else None
            self.answers.append(
                (call, ProviderAnswer(call.key, "approved" if yes else "declined", amount=amount, reason="no"))
            )

    def hear(self, number: int) -> None:
        """One of the answers on the way comes in; the first to a key counts."""
        if self.answers:
            call, answer = self.answers.pop(number % len(self.answers))
            if call.key not in self.settled:
                self.settled.add(call.key)
                self.apply(answered(self.payment, call, answer, 1))

    def act(self, what: str, number: int) -> None:
        token = ("tok_ok", "tok_declined", "tok_capture_refused")[number % 3]
        match what:
            case "pay":
                self.apply(pay(self.payment, token, 1))
            case "capture":
                self.apply(capture(self.payment, "capture"))
            case "undo":
                self.apply(call_off(self.payment))
            case "write off" if self.payment.collects:
                self.apply(write_off(self.payment))
            case "reach":
                self.reach(number)
            case "hear":
                self.hear(number)

    def comes_to_rest(self) -> None:
        for _ in range(20):
            for number in range(len(self.calls)):
                self.reach(number)
            while self.answers:
                self.hear(0)

    def adds_up(self) -> None:
        sums = sums_of(self.ledger)
        row = self.payment
        assert (sums.authorized, sums.captured, sums.voided, sums.refunded) == (
            row.authorized,
            row.captured,
            row.voided,
            row.refunded,
        )
        assert sums.authorized in (0, 2590)
        assert len({entry.key for entry in self.ledger}) == len(self.ledger)


ACTS = st.lists(
    st.tuples(st.sampled_from(["pay", "capture", "undo", "write off", "reach", "hear"]), st.integers(0, 5)), max_size=25
)


@settings(max_examples=400, deadline=None)
@given(acts=ACTS, collects=st.booleans(), brought=st.booleans())
def test_called_off_in_any_order_of_events_everything_that_was_authorised_has_gone_back(
    acts: list[tuple[str, int]], collects: bool, brought: bool
) -> None:
    story = Story(collects, brought)
    for what, number in acts:
        story.act(what, number)
    story.act("undo", 0)
    story.comes_to_rest()

    sums = sums_of(story.ledger)
    assert story.payment.status in ENDED
    if story.payment.status != "lost":
        assert sums.authorized == sums.captured + sums.voided
        assert sums.captured == sums.refunded
    story.adds_up()


@settings(max_examples=400, deadline=None)
@given(acts=ACTS, collects=st.booleans(), brought=st.booleans())
def test_in_any_order_of_events_no_more_than_one_authorisation_is_ever_made(
    acts: list[tuple[str, int]], collects: bool, brought: bool
) -> None:
    story = Story(collects, brought)
    for what, number in acts:
        story.act(what, number)
    story.comes_to_rest()

    assert story.payment.status not in ASKING.values()
    story.adds_up()


def test_I14_an_answer_that_comes_after_the_void_changes_nothing_that_was_told() -> None:
    """Found by `clerk simulate`: the void overtook the authorisation's answer, which then brought the card along."""
    asked = ask(OPEN, "authorize", "tok_a")
    voiding = call_off(asked.payment)
    assert asked.call is not None and voiding.call is not None
    told = answered(voiding.payment, voiding.call, ProviderAnswer(voiding.call.key, "approved", amount=2590), 2).payment

    after = answered(told, asked.call, ProviderAnswer(asked.call.key, "approved", card=VISA), 3).payment

    assert section(after) == section(told) == {"status": "voided", "amount": 2590, "reference": "pay_1"}
