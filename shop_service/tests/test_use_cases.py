"""What a customer does with a cart, and when it is too late for it."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import update

from domain.messages import Reply
from domain.refusals import Refused
from messaging.database import Database
from messaging.envelope import decode, unpack
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from messaging.tests.databases import Clock
from shop_service.order import MOST_LINES
from shop_service.store import products, technical
from shop_service.tests.commands import DEADLINE, business_rows, cancels, dispatcher, replies_to, starts
from shop_service.use_cases import CartUseCases, CartView, NotOnSale, PriceChanged


class CartHarness:
    """The use cases, with the messages to ShopManager counted."""

    def __init__(self, database: Database) -> None:
        self.broker = MemoryBroker()
        transport = self.broker.transport(None, "shop")
        transport.start()
        self.cart = CartUseCases(database, dispatcher(), Outbox(technical.outbox, database, transport))

    @property
    def told(self) -> int:
        """How many replies there were, without reports."""
        return sum(not message.report for message in self.messages())

    def messages(self) -> list[Reply]:
        deliveries = self.broker.queues["shop_manager.replies.v1"].deliveries
        read = [decode(each, "shop_manager") for delivery in deliveries for each in unpack(delivery.body)]
        return [message for message in read if isinstance(message, Reply)]


@pytest.fixture
def harness(database: Database) -> CartHarness:
    replies_to(database, starts("clk_1"))
    return CartHarness(database)


@pytest.fixture
def cart(harness: CartHarness) -> CartUseCases:
    return harness.cart


def code_of(outcome: CartView | Refused | NotOnSale | PriceChanged) -> str:
    if isinstance(outcome, NotOnSale):
        return "article_unknown"
    assert isinstance(outcome, Refused), f"not refused: {outcome}"
    return outcome.code


def test_a_new_cart_is_open_and_empty(cart: CartUseCases) -> None:
    assert cart.show("clk_1") == {
        "session": "clk_1",
        "currency": "EUR",
        "items": [],
        "total": 0,
        "status": "open",
        "expires_at": "2025-11-24T16:01:00.000Z",
    }


def test_an_article_in_the_cart_has_its_price_of_the_moment(database: Database, cart: CartUseCases) -> None:
    cart.put("clk_1", "SQUEAKY-BONE", 2)
    with database.begin() as tx:
        tx.execute(update(products).where(products.c.sku == "SQUEAKY-BONE").values(unit_amount=1000))
    shown = cart.show("clk_1")
    assert isinstance(shown, dict)
    assert shown["items"] == [
        {
            "sku": "SQUEAKY-BONE",
            "name": "Squeaky bone",
            "quantity": 2,
            "unit_amount": 1000,
            "total": 2000,
            "kind": "physical",
        }
    ]
    assert shown["total"] == 2000


def test_putting_an_article_again_sets_its_quantity_and_zero_takes_it_out(cart: CartUseCases) -> None:
    cart.put("clk_1", "SQUEAKY-BONE", 2)
    shown = cart.put("clk_1", "SQUEAKY-BONE", 5)
    assert isinstance(shown, dict)
    assert [item["quantity"] for item in shown["items"]] == [5]
    shown = cart.put("clk_1", "SQUEAKY-BONE", 0)
    assert isinstance(shown, dict)
    assert shown["items"] == []


@pytest.mark.parametrize("sku", ["BARKING-CAT", "BARK-ALBUM"])
def test_what_the_shop_does_not_sell_cannot_be_put_into_the_cart(cart: CartUseCases, sku: str) -> None:
    assert code_of(cart.put("clk_1", sku, 1)) == "article_unknown"


def test_a_cart_has_only_so_many_different_articles(database: Database, cart: CartUseCases) -> None:
    with database.begin() as tx:
        toys = [
            {
                "sku": f"TOY-{number:03}",
                "name": "Toy",
                "unit_amount": 1,
                "currency": "EUR",
                "kind": "physical",
                "withdrawn": False,
            }
            for number in range(MOST_LINES)
        ]
        tx.insert(products, toys)
    for toy in toys:
        assert isinstance(cart.put("clk_1", str(toy["sku"]), 1), dict)
    assert code_of(cart.put("clk_1", "SQUEAKY-BONE", 1)) == "quantity_out_of_range"
    assert isinstance(cart.put("clk_1", "TOY-000", 2), dict), "one that is in can be changed"


def test_a_placed_order_is_told_once_and_the_cart_is_gone(database: Database, harness: CartHarness) -> None:
    harness.cart.put("clk_1", "SQUEAKY-BONE", 2)
    placed = harness.cart.order("clk_1")
    assert isinstance(placed, dict)
    assert (placed["status"], placed["total"], placed["expires_at"]) == ("placed", 2590, "2025-11-24T16:01:00.000Z")
    assert harness.cart.order("clk_1") == placed
    assert harness.cart.show("clk_1") == placed
    assert harness.told == 1
    rows = business_rows(database)
    assert (rows["carts"], rows["cart_items"]) == ([], [])
    assert len(rows["orders"]) == 1


def test_the_command_asked_again_gets_the_order_that_was_placed(database: Database, cart: CartUseCases) -> None:
    cart.put("clk_1", "SQUEAKY-BONE", 2)
    cart.order("clk_1")
    (reply,) = replies_to(database, starts("clk_1"))
    assert reply.document["order"]["total"] == 2590


def test_a_placed_order_keeps_its_prices_and_its_cart_cannot_be_changed(database: Database, cart: CartUseCases) -> None:
    cart.put("clk_1", "SQUEAKY-BONE", 2)
    placed = cart.order("clk_1")
    with database.begin() as tx:
        tx.execute(update(products).values(unit_amount=1, name="Cheap"))
    assert cart.show("clk_1") == placed
    assert code_of(cart.put("clk_1", "SQUEAKY-BONE", 3)) == "not_allowed_now"


def test_an_empty_cart_cannot_be_ordered_and_the_session_goes_on(harness: CartHarness) -> None:
    assert code_of(harness.cart.order("clk_1")) == "cart_empty"
    harness.cart.put("clk_1", "SQUEAKY-BONE", 1)
    assert isinstance(harness.cart.order("clk_1"), dict)


def test_an_article_withdrawn_meanwhile_can_be_taken_out_and_the_rest_ordered(
    database: Database, harness: CartHarness
) -> None:
    harness.cart.put("clk_1", "SQUEAKY-BONE", 1)
    harness.cart.put("clk_1", "SQUEAKY-DUCK", 1)
    with database.begin() as tx:
        tx.execute(update(products).where(products.c.sku == "SQUEAKY-BONE").values(withdrawn=True))
    assert code_of(harness.cart.order("clk_1")) == "article_unknown"
    assert harness.told == 0
    harness.cart.put("clk_1", "SQUEAKY-BONE", 0)
    assert isinstance(harness.cart.order("clk_1"), dict)


def test_nobody_may_act_after_the_deadline_even_before_the_undo_has_come(cart: CartUseCases, clock: Clock) -> None:
    clock.now = DEADLINE - 1
    assert isinstance(cart.put("clk_1", "SQUEAKY-BONE", 1), dict)
    clock.now = DEADLINE
    assert code_of(cart.put("clk_1", "SQUEAKY-BONE", 2)) == "session_ended"
    assert code_of(cart.order("clk_1")) == "session_ended"


def test_an_order_placed_in_time_is_answered_the_same_after_the_deadline(cart: CartUseCases, clock: Clock) -> None:
    cart.put("clk_1", "SQUEAKY-BONE", 1)
    placed = cart.order("clk_1")
    clock.now = DEADLINE + 1
    assert cart.order("clk_1") == placed


@pytest.mark.parametrize("placed", [False, True])
def test_after_the_undo_every_act_is_refused(database: Database, cart: CartUseCases, placed: bool) -> None:
    before = business_rows(database)
    cart.put("clk_1", "SQUEAKY-BONE", 1)
    if placed:
        cart.order("clk_1")
    replies_to(database, cancels("clk_1"))
    rows = business_rows(database)
    for outcome in (cart.show("clk_1"), cart.put("clk_1", "SQUEAKY-BONE", 1), cart.order("clk_1")):
        assert code_of(outcome) == "session_ended"
    assert business_rows(database) == rows == {**before, "carts": []}


def test_a_click_and_an_undo_at_once_leave_nothing_whoever_comes_first(
    database: Database, harness: CartHarness
) -> None:
    with database.read():
        before = {**business_rows(database), "carts": []}
    for number in range(10):
        session = f"clk_race_{number}"
        replies_to(database, starts(session))
        harness.cart.put(session, "SQUEAKY-BONE", 1)
        ready = Barrier(2)
        hands = [
            Thread(target=lambda ready=ready, session=session: (ready.wait(5), harness.cart.order(session))),
            Thread(target=lambda ready=ready, session=session: (ready.wait(5), replies_to(database, cancels(session)))),
        ]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(20)
        assert code_of(harness.cart.order(session)) == "session_ended"
    replies_to(database, cancels("clk_1"))
    assert business_rows(database) == before
