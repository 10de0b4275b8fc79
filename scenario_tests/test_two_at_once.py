"""Two of something at the same moment: managers, sessions of one customer, customers for the last bone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import TypeVar

from scenario_tests.order_under_test import ENDED, OrderUnderTest
from scenario_tests.shop import PRICE, Shop, StockLevel
from scenario_tests.waiting import until

T = TypeVar("T")
ALL_DONE = (
    "shopping done",
    "credit done",
    "payment done",
    "stock done",
    "capture done",
    "shipping done",
    "settle done",
)
EXPIRED = ("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


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


def one_and_other(clerks: list[OrderUnderTest]) -> tuple[OrderUnderTest, OrderUnderTest]:
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
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=0, reserved=0, shipped=1)


def test_a_cancel_and_the_card_at_the_same_moment(shop: Shop) -> None:
    # Given a customer with two windows open
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    # When one pays and the other cancels
    paid, cancelled = at_once(lambda: clerk.tries_to_pay("tok_ok"), clerk.tries_to_cancel)
    # Then one of them has won, and nothing is left half done
    if cancelled is None:
        clerk.becomes("canceled")
        assert paid in (None, (409, "session_ended"))
        assert clerk.session()["payment_status"] in (("voided",) if paid is None else ("none", "voided"))
        assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)
    else:
        assert (paid, cancelled) == (None, (409, "past_the_pivot"))
        clerk.gets_shipped().becomes("completed")


def test_two_shop_managers_take_replies_at_the_same_moment(shop: Shop) -> None:
    # Given a second ShopManager on the same data, and orders that were opened at both
    shop.stocks("SQUEAKY-BONE", 20)
    ada = shop.customer("ada", token="tok_ok")
    with shop.another_manager() as same_shop:
        eva = same_shop.customer("eva", token="tok_ok")
        with shop.holds_back_answer("StartShopping") as held:
            clerks = [person.orders({"SQUEAKY-BONE": 1}) for person in (ada, eva) for _ in range(10)]
            for clerk in clerks:
                held.until_there(clerk.id)
            # When the first answers to all of them come at one moment
            before = handled(shop, same_shop)
            held.let_go()
        for clerk in clerks:
            clerk.is_at("shipping", "waiting")
        # Then both have taken some of the replies
        assert all(now > was for now, was in zip(handled(shop, same_shop), before, strict=True))
        # And each order is completed once, step by step
        for clerk in clerks:
            clerk.gets_shipped().becomes("completed")
            clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=0, reserved=0, shipped=20)


def test_two_shop_managers_take_the_replies_to_one_order(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 100)
    ada = shop.customer("ada", token="tok_ok")
    with shop.another_manager() as same_shop:
        shop.all_quiet()

        def both_had_a_part_in_one() -> bool:
            before = handled(shop, same_shop)
            clerk = ada.orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
            clerk.went_through(*ALL_DONE)
            parts = [now - was for now, was in zip(handled(shop, same_shop), before, strict=True)]
            # Nothing but this order's replies was handled meanwhile, and no manager has handled all of them
            return sum(parts) == len(ALL_DONE) + len(clerk.ignored()) and all(parts)

        until(both_had_a_part_in_one, "one order whose replies were handled by both")


def handled(*managers: Shop) -> list[int]:
    return [manager.messages_handled() for manager in managers]


def test_two_shop_managers_end_an_expired_session_once(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.another_manager() as same_shop, shop.books_stay_as_they_are():
        # Given a second ShopManager that ends expired sessions too, as it shows while the first one is away
        with shop.without("shop_manager"):
            alone = same_shop.customer("eva").orders({"SQUEAKY-BONE": 1}, expires_in=2)
            alone.becomes("expired", because="session_expired").went_through(*EXPIRED)
        # When sessions expire while both are looking for such
        clerks = [ada.orders({"SQUEAKY-BONE": 1}, expires_in=3).waits_for("pay") for _ in range(5)]
        for clerk in clerks:
            clerk.outlives_its_deadline()
        over = monotonic()
        # Then both look after the deadlines, and each session is ended once
        for manager in (shop, same_shop):
            until(partial(has_looked_since, manager, over), "both look for sessions whose time has come")
        for clerk in clerks:
            clerk.becomes("expired", because="session_expired")
            clerk.went_through(*EXPIRED)
            ends = [line["what"] for line in clerk.timeline() if line["what"] in ("turned_around", "ended")]
            assert ends == ["turned_around", "ended"]


def has_looked_since(manager: Shop, moment: float) -> bool:
    """Whether the ShopManager has looked for Clerks whose time has come since then (monotonic seconds)."""
    return manager.last_tick_age() < monotonic() - moment


def test_one_of_two_shop_managers_carries_on_alone(shop: Shop) -> None:
    # Given an order that was opened at one ShopManager
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.another_manager() as same_shop:
        clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
        # When that one is gone, the other one goes on with it, and for 25 s more the warehouse's key is good (S2)
        shop.lists_shipments()
        with shop.without("shop_manager"):
            at_the_other = clerk.seen_by(same_shop.api)
            at_the_other.pays().gets_shipped().becomes("completed")
    clerk.becomes("completed")
