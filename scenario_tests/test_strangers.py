"""Strangers: what somebody without a key gets from the shop, and what not (security S1, S4, S5)."""

from __future__ import annotations

import uuid
from contextlib import ExitStack

from scenario_tests.customer import Stranger
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.shop import Shop
from scenario_tests.waiting import until


def test_S1_a_key_that_another_guest_may_choose_too_opens_nothing(shop: Shop) -> None:
    mallory = shop.stranger()
    assert mallory.tries_to_come_in("order-1") == (422, "weak_idempotency_key")
    assert mallory.tries_to_come_in("00000000-0000-0000-0000-000000000001") == (422, "weak_idempotency_key")


def test_a_guest_whose_answer_was_lost_gets_the_same_session_again(shop: Shop) -> None:
    eve, key = shop.stranger(), str(uuid.uuid4())
    first, again = eve.comes_in(key), eve.comes_in(key)
    assert (first.id, first.secret) == (again.id, again.secret)
    first.cancels().becomes("canceled")


def test_S5_a_guest_tries_twenty_cards_and_no_more(shop: Shop) -> None:
    # Given a guest at the cash desk, without a card that is taken
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.books_stay_as_they_are():
        clerk = shop.stranger().comes_in().fills_cart({"SQUEAKY-BONE": 1}).places_order().waits_for("pay")
        for _ in range(20):
            assert clerk.tries_to_pay("tok_declined") == (402, "card_declined")
        # Then not even a good one is tried
        assert clerk.tries_to_pay("tok_ok") == (409, "too_many_cards")
        # And the order ends at once with what it had put aside, and says why
        clerk.becomes("failed", because="too_many_cards")
        assert clerk.session()["last_payment_error"]["code"] == "too_many_cards"


def test_S4_eight_may_watch_a_session_and_each_who_leaves_makes_room(shop: Shop) -> None:
    clerk = shop.stranger().comes_in().waits_for("place_order")
    with ExitStack() as watching:
        for _ in range(8):
            assert watching.enter_context(clerk.is_watched()) is None
        with clerk.is_watched() as refusal:
            assert refusal == (429, "too_many_requests")
        assert shop.customer("ada").comes_in().waits_for("place_order").session()["status"] == "open"

    def has_room() -> bool:
        with clerk.is_watched() as refusal:
            return refusal is None

    until(has_room, "a place is free again", 20)
    clerk.cancels().becomes("canceled")


def test_S5_twenty_sessions_of_one_address_are_open_and_the_shop_goes_on(shop: Shop) -> None:
    # Given a guest who opens all sessions he can get
    mallory, opened = shop.stranger(), list[OrderUnderTest]()
    while isinstance(found := mallory.tries_to_come_in(), OrderUnderTest):
        opened.append(found)
        assert len(opened) <= 20
    assert found == (429, "too_many_sessions")
    # Then the shop's backend opens sessions for its customers all the same
    shop.customer("ada").comes_in().cancels().becomes("canceled")
    # And when his have ended he may come in again
    for clerk in opened:
        clerk.cancels()
    for clerk in opened:
        clerk.becomes("canceled")
    until(lambda: _may_come_in(mallory), "his ended sessions count no more")


def _may_come_in(stranger: Stranger) -> bool:
    found = stranger.tries_to_come_in()
    if isinstance(found, OrderUnderTest):
        found.cancels().becomes("canceled")
        return True
    return False
