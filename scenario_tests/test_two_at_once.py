"""Two of something at the same moment: managers, sessions of one customer, customers for the last bone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from scenario_tests.clerk_on_stage import ENDED, ClerkOnStage
from scenario_tests.shop import PRICE, Shop, Stock
from scenario_tests.waiting import until

T = TypeVar("T")


def at_once(*acts: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(act) for act in acts]]


def test_two_parallel_sessions_of_one_customer_at_the_credit_limit(shop: Shop) -> None:
    # Given credit for one of two orders
    shop.stocks("SQUEAKY-BONE", 10)
    ada = shop.customer("ada", limit=3 * PRICE)
    # When both are placed at the same moment
    clerks = at_once(*[lambda: ada.orders({"SQUEAKY-BONE": 2})] * 2)
    # Then one waits for the card, and the other is refused: the limit is never exceeded (I5)
    winner, loser = one_and_other(clerks)
    loser.becomes("failed", because="credit_exceeded")
    winner.waits_for("pay")
    assert shop.credit_of("ada").reserved == 2 * PRICE
    winner.pays().gets_shipped().becomes("completed")
    assert shop.credit_of("ada").reserved == 0


def one_and_other(clerks: list[ClerkOnStage]) -> tuple[ClerkOnStage, ClerkOnStage]:
    """The one that may go on, and the one that has failed or will."""
    first, second = clerks
    until(lambda: any(clerk.session()["status"] in ENDED for clerk in clerks), "one of the two orders has ended")
    return (second, first) if first.session()["status"] in ENDED else (first, second)


def test_guests_do_not_share_an_account(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10, price=40_000)
    clerks = at_once(*[lambda: shop.guest(token="tok_ok").orders({"SQUEAKY-BONE": 1})] * 2)
    for clerk in clerks:
        clerk.gets_shipped().becomes("completed")


def test_the_last_bone_wanted_twice_is_sold_once(shop: Shop) -> None:
    # Given one bone
    shop.stocks("SQUEAKY-BONE", 1)
    ada, bob = shop.customer("ada", token="tok_ok"), shop.customer("bob", token="tok_ok")
    # When two want it at the same moment
    clerks = at_once(lambda: ada.orders({"SQUEAKY-BONE": 1}), lambda: bob.orders({"SQUEAKY-BONE": 1}))
    # Then one gets it, and the other gets the money back
    winner, loser = one_and_other(clerks)
    loser.becomes("failed", because="out_of_stock")
    assert loser.session()["payment_status"] == "voided"
    winner.gets_shipped().becomes("completed")
    assert shop.stock_of("SQUEAKY-BONE") == Stock(on_hand=0, reserved=0, shipped=1)


def test_a_cancel_and_the_card_at_the_same_moment(shop: Shop) -> None:
    # Given a customer with two windows open
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    # When one pays and the other cancels
    _, cancelled = at_once(lambda: clerk.tries_to_pay("tok_ok"), clerk.tries_to_cancel)
    # Then one of them has won, and nothing is left half done
    if cancelled is None:
        clerk.becomes("canceled")
        assert clerk.session()["payment_status"] in ("none", "voided")
        assert shop.stock_of("SQUEAKY-BONE") == Stock(on_hand=5, reserved=0, shipped=0)
    else:
        assert cancelled == (409, "past_the_pivot")
        clerk.gets_shipped().becomes("completed")


def test_two_shop_managers_share_the_work(shop: Shop) -> None:
    # Given a second ShopManager on the same data
    shop.stocks("SQUEAKY-BONE", 20)
    ada = shop.customer("ada", token="tok_ok")
    with shop.another_manager() as same_shop:
        before = shop.answers_taken_by_its_manager()
        # When orders come in by both doors
        eva = same_shop.customer("eva", token="tok_ok")
        clerks = [person.orders({"SQUEAKY-BONE": 1}) for person in (ada, eva) for _ in range(5)]
        # Then each is completed once, step by step
        for clerk in clerks:
            clerk.gets_shipped().becomes("completed")
            clerk.went_through(
                "shopping done",
                "credit done",
                "payment done",
                "stock done",
                "capture done",
                "shipping done",
                "settle done",
            )
        # And both had their part in it
        assert same_shop.answers_taken_by_its_manager() > 0
        assert shop.answers_taken_by_its_manager() > before
    assert shop.stock_of("SQUEAKY-BONE") == Stock(on_hand=10, reserved=0, shipped=10)


def test_two_shop_managers_end_an_expired_session_once(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.another_manager(), shop.books_stay_as_they_are():
        clerks = [ada.orders({"SQUEAKY-BONE": 1}, expires_in=2) for _ in range(5)]
        for clerk in clerks:
            clerk.becomes("expired")
            clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


def test_one_of_two_shop_managers_carries_on_alone(shop: Shop) -> None:
    # Given an order that was opened at one ShopManager
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.another_manager() as same_shop:
        clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
        # When that one is gone, the other one goes on with it
        with shop.without("shop_manager"):
            at_the_other = clerk.seen_by(same_shop.wire)
            at_the_other.pays().gets_shipped().becomes("completed")
    clerk.becomes("completed")
