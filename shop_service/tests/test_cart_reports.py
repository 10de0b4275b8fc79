"""What the shop reports of an open cart, how often, and that the last state always arrives (M9)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.messages import Reply
from messaging.broker import REPLIES_QUEUE
from messaging.database import Database
from messaging.envelope import decode, unpack
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from messaging.tests.databases import Clock
from shop_service.cart_reports import CartReports, pause_after
from shop_service.store import technical
from shop_service.tests.commands import cancels, dispatcher, replies_to, starts
from shop_service.use_cases import CartUseCases


class ReportedCarts:
    """The use cases and the tick, and what ShopManager has been told."""

    def __init__(self, database: Database) -> None:
        self.broker = MemoryBroker()
        transport = self.broker.transport(None, "shop")
        transport.start()
        outbox = Outbox(technical.outbox, database, transport)
        self.cart = CartUseCases(database, dispatcher(), outbox)
        self.tick = CartReports(database, dispatcher(), outbox).tick

    def puts(self, quantity: int, sku: str = "SQUEAKY-BONE") -> None:
        assert isinstance(self.cart.put("clk_1", sku, quantity), dict)

    def told(self) -> list[Reply]:
        deliveries = self.broker.queues[REPLIES_QUEUE].deliveries
        read = [decode(each, "shop_manager") for delivery in deliveries for each in unpack(delivery.body)]
        return [message for message in read if isinstance(message, Reply)]

    def orders(self) -> list[dict[str, Any]]:
        return [message.document["order"] for message in self.told() if message.report]

    def quantities(self) -> list[list[int]]:
        return [[line["quantity"] for line in each["items"]] for each in self.orders()]


@pytest.fixture
def carts(database: Database) -> ReportedCarts:
    replies_to(database, starts("clk_1"))
    return ReportedCarts(database)


def test_M9_what_is_put_into_a_cart_is_reported_at_once(carts: ReportedCarts) -> None:
    carts.puts(2)
    [report] = carts.told()
    assert (report.report, report.outcome) == (1, "undone")
    line = {"sku": "SQUEAKY-BONE", "name": "Squeaky bone", "quantity": 2, "unit_amount": 1295, "total": 2590}
    line_of_kind = {**line, "kind": "physical"}
    assert report.document["order"] == {"status": "open", "items": [line_of_kind], "total": 2590}


def test_quick_changes_are_one_report_and_the_last_state_arrives(carts: ReportedCarts, clock: Clock) -> None:
    for quantity in (1, 2, 3, 0, 5):
        carts.puts(quantity)
    assert carts.quantities() == [[1]]
    carts.tick()
    assert carts.quantities() == [[1]]
    clock.now += pause_after(1)
    carts.tick()
    carts.tick()
    assert carts.quantities() == [[1], [5]]


def test_what_was_not_told_yet_survives_the_end_of_the_process(
    database: Database, carts: ReportedCarts, clock: Clock
) -> None:
    carts.puts(1)
    carts.puts(2)
    clock.now += pause_after(1)
    another = ReportedCarts(database)
    another.tick()
    assert another.quantities() == [[2]]


def test_an_order_that_was_placed_meanwhile_has_said_more(carts: ReportedCarts, clock: Clock) -> None:
    carts.puts(1)
    carts.puts(2)
    assert isinstance(carts.cart.order("clk_1"), dict)
    clock.now += pause_after(1)
    carts.tick()
    assert [message.report for message in carts.told()] == [1, 0]
    assert carts.told()[-1].document["order"]["status"] == "placed"


def test_a_session_that_ended_meanwhile_is_not_reported(database: Database, carts: ReportedCarts, clock: Clock) -> None:
    carts.puts(1)
    carts.puts(2)
    replies_to(database, cancels("clk_1"))
    clock.now += pause_after(1)
    carts.tick()
    assert len(carts.told()) == 1


def test_a_cart_that_is_changed_without_end_is_reported_some_forty_times_in_half_an_hour() -> None:
    passed, reports = 0, 0
    while passed < 1_800_000:
        reports += 1
        passed += pause_after(reports)
    assert reports < 45
    assert pause_after(1) == 2_000
    assert pause_after(1_000) == 60_000
