"""`kill -9` of each service in the middle of orders: started again, every one goes on, and nothing happens twice."""

from __future__ import annotations

import pytest

from scenario_tests.shop import PRICE, Shop, StockLevel

pytestmark = pytest.mark.services  # there must be a process to be killed

MIDST = {"shop": "StartShopping", "risk": "ReserveCredit", "payment": "CapturePayment", "fulfillment": "AllocateStock"}
ALL_DONE = (
    "shopping done",
    "credit done",
    "payment done",
    "stock done",
    "capture done",
    "shipping done",
    "settle done",
)


@pytest.mark.parametrize("service", MIDST)
def test_killed_before_the_command_arrives(shop: Shop, service: str) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back(MIDST[service]) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        shop.kills(service)
    shop.restarts(service)
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)


@pytest.mark.parametrize("service", MIDST)
def test_killed_after_it_has_acted_and_before_its_answer_is_heard(shop: Shop, service: str) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back_answer(MIDST[service]) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        shop.kills(service)
        held.loses_everything()
    shop.restarts(service)
    # Then it is asked again, and gives the same answer without acting again
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)
    assert clerk.document()["payment"]["amount"] == 2 * PRICE


@pytest.mark.parametrize("service", [*MIDST, "shop_manager"])
def test_killed_while_many_orders_are_under_way(shop: Shop, service: str) -> None:
    # Given many orders, some of which will fail
    shop.stocks("SQUEAKY-BONE", 30)
    ada, bob = shop.customer("ada", token="tok_ok", limit=20 * PRICE), shop.customer("bob", token="tok_capture_refused")
    good = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(12)]
    bad = [bob.orders({"SQUEAKY-BONE": 1}) for _ in range(6)]
    # When the service is killed in their middle
    under_way = sum(clerk.session()["status"] == "processing" for clerk in good[-3:])
    shop.kills(service)
    shop.restarts(service)
    assert under_way, "nothing was under way when the service was killed"
    # Then all of them end as they should, once
    for clerk in good:
        clerk.gets_shipped().becomes("completed", limit=60)
        clerk.went_through(*ALL_DONE)
    for clerk in bad:
        clerk.becomes("failed", because="capture_refused", limit=60)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=18, reserved=0, shipped=12)
    assert shop.credit_of("ada").reserved == shop.credit_of("bob").reserved == 0


@pytest.mark.parametrize("service", ["shop", "risk", "payment"])
def test_killed_in_the_middle_of_an_undo(shop: Shop, service: str) -> None:
    undo = {"shop": "CancelOrder", "risk": "ReleaseCredit", "payment": "VoidPayment"}[service]
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        with shop.holds_back_answer(undo) as held:
            clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels()
            held.until_there(clerk.id)
            shop.kills(service)
            held.loses_everything()
        shop.restarts(service)
        clerk.becomes("canceled")
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


def test_shop_manager_killed_while_the_customer_pays(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    shop.kills("shop_manager")
    assert clerk.tries_to_pay("tok_ok") is None
    shop.restarts("shop_manager")
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)


def test_one_of_two_shop_managers_is_killed_in_the_middle(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    ada = shop.customer("ada", token="tok_ok")
    with shop.another_manager() as same_shop:
        clerks = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(6)]
        shop.lists_shipments()  # for 25 s from here on the warehouse's key is good without this ShopManager (S2)
        shop.kills("shop_manager")
        try:
            for clerk in clerks:
                clerk.seen_by(same_shop.api).gets_shipped().becomes("completed")
        finally:
            shop.restarts("shop_manager")
    for clerk in clerks:
        clerk.went_through(*ALL_DONE)
