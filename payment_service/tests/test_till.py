"""What the customer meets at the till."""

from __future__ import annotations

from domain.refusals import Refused
from payment_service.payment import pay
from payment_service.tests.room import CLERK, SECRET, START, Room, command
from payment_service.till import PaymentAnswer


def test_a_declined_card_may_be_followed_by_another_one(room: Room) -> None:
    room.send(command("AuthorizePayment"))
    room.pays("tok_declined")
    assert room.settle() == []
    assert room.payment().declined == "the card was declined"

    room.pays("tok_ok")
    [reply] = room.settle()

    assert reply.outcome == "done"
    assert room.asked() == ["authorize/1", "authorize/2"]


def test_a_second_payment_while_one_is_under_way_is_no_second_authorisation(room: Room) -> None:
    room.send(command("AuthorizePayment"))

    first, second = room.pays("tok_ok"), room.pays("tok_slow")
    room.settle()
    third = room.pays("tok_ok")

    assert (first.status, second.status, third.status) == ("authorizing", "authorizing", "authorized")
    assert room.settle() == []
    assert room.asked() == ["authorize/1"]


def test_nobody_pays_after_the_deadline_whether_or_not_the_undo_has_come(room: Room) -> None:
    room.send(command("AuthorizePayment", deadline=START + 1000))
    room.now += 1000

    assert room.pays("tok_ok") == Refused("session_ended", "the time to pay is over; nothing was charged")
    assert room.asked() == []


def test_the_till_shows_what_the_customer_may_know(room: Room) -> None:
    room.send(command("AuthorizePayment"))
    room.pays("tok_declined")
    room.settle()

    found = room.till.find(CLERK, lambda secret: secret == SECRET)

    assert found is not None
    assert room.till.pay(CLERK, "tok_ok") == PaymentAnswer(
        session=CLERK,
        amount=2590,
        currency="EUR",
        status="authorizing",
        card=None,
        expires_at="2025-11-24T16:15:00.000Z",
        declined=None,
    )


def test_a_foreign_and_an_unknown_payment_are_both_not_there(room: Room) -> None:
    room.send(command("AuthorizePayment"))

    assert room.till.find(CLERK, lambda secret: False) is None
    assert room.till.find("clk_unknown", lambda secret: True) is None


def test_after_a_declined_single_try_the_payment_has_ended(room: Room) -> None:
    room.send(command("AuthorizePayment", token="tok_declined"))

    refused = pay(room.payment(), "tok_ok", room.now)

    assert isinstance(refused, Refused)
    assert refused.code == "session_ended"


def test_a_step_that_is_asked_anew_may_be_paid_until_its_new_deadline(room: Room) -> None:
    room.send(command("AuthorizePayment", deadline=START + 1000))
    room.send(command("AuthorizePayment", attempt=2, deadline=START + 9000))
    room.now += 5000

    room.pays("tok_ok")
    [reply] = room.settle()

    assert (reply.outcome, reply.attempt) == ("done", 2)
