"""Shipping: by the warehouse or by the automatic one, late, twice, or too late."""

from __future__ import annotations

import pytest

from domain.refusals import Refused
from fulfillment_service.queries import list_shipments
from fulfillment_service.shipment import Shipment, ShippingLabel
from fulfillment_service.tests.commands import (
    NOON,
    ShippingHarness,
    allocates,
    asks_to_ship,
    releases,
    replies_to,
    statuses,
    stock_now,
)
from fulfillment_service.warehouse import AT_ONCE, CARRIER, ship_due, sled_label
from messaging.database import Database
from messaging.tests.databases import Clock

SLED = ShippingLabel("Dog Sled", "SLED-1")


@pytest.fixture
def harness(database: Database) -> ShippingHarness:
    return ShippingHarness(database)


def ship(harness: ShippingHarness, session: str, label: ShippingLabel = SLED) -> Shipment | Refused:
    return harness.shipping.ship({session: label})[session]


def code_of(outcome: object) -> str:
    assert isinstance(outcome, Refused)
    return outcome.code


def asked(database: Database, *sessions: str, deadline: int | None = None) -> None:
    """Each session has one bone allocated, and the warehouse has been asked to ship it."""
    replies_to(database, *(allocates(session, {"SQUEAKY-BONE": 1}) for session in sessions))
    replies_to(database, *(asks_to_ship(session, deadline) for session in sessions))


def test_shipped_goods_leave_the_stock_and_shop_manager_is_told(database: Database, harness: ShippingHarness) -> None:
    asked(database, "clk_1")
    shipment = ship(harness, "clk_1")
    assert isinstance(shipment, Shipment)
    assert (shipment.status, shipment.carrier, shipment.shipped_at) == ("shipped", "Dog Sled", NOON)
    assert stock_now(database)["SQUEAKY-BONE"] == (9, 0, 1)
    assert harness.told == 1


def test_the_command_asked_again_gets_the_answer_that_was_given(database: Database, harness: ShippingHarness) -> None:
    asked(database, "clk_1")
    ship(harness, "clk_1")
    (reply,) = replies_to(database, asks_to_ship("clk_1"))
    assert reply.outcome == "done"
    assert reply.document["shipment"]["tracking"] == "SLED-1"


def test_shipping_twice_is_shipping_once_under_the_first_label(database: Database, harness: ShippingHarness) -> None:
    asked(database, "clk_1")
    first = ship(harness, "clk_1")
    assert ship(harness, "clk_1", ShippingLabel("Other", "OTHER-2")) == first
    assert stock_now(database)["SQUEAKY-BONE"] == (9, 0, 1)
    assert harness.told == 1


def test_goods_that_nobody_asked_to_ship_do_not_leave(database: Database, harness: ShippingHarness) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 1}))
    assert code_of(ship(harness, "clk_1")) == "not_to_be_shipped_yet"
    assert stock_now(database)["SQUEAKY-BONE"] == (9, 1, 0)


def test_released_goods_do_not_leave(database: Database, harness: ShippingHarness) -> None:
    asked(database, "clk_1")
    replies_to(database, releases("clk_1"))
    assert code_of(ship(harness, "clk_1")) == "session_ended"
    assert stock_now(database)["SQUEAKY-BONE"] == (10, 0, 0)
    assert harness.told == 0


def test_a_session_that_nobody_knows_is_not_found(harness: ShippingHarness) -> None:
    assert code_of(ship(harness, "clk_1")) == "not_found"


def test_what_is_overdue_can_still_be_shipped(database: Database, harness: ShippingHarness, clock: Clock) -> None:
    asked(database, "clk_1")
    clock.now += 49 * 3600 * 1000
    assert isinstance(ship(harness, "clk_1"), Shipment)


@pytest.mark.parametrize(("late", "code"), [(-1, "shipped"), (0, "session_ended"), (1, "session_ended")])
def test_a_deadline_that_the_command_names_is_sharp(
    database: Database, harness: ShippingHarness, clock: Clock, late: int, code: str
) -> None:
    asked(database, "clk_1", deadline=NOON + 1000)
    clock.now = NOON + 1000 + late
    outcome = ship(harness, "clk_1")
    assert (outcome.code if isinstance(outcome, Refused) else outcome.status) == code


def test_the_warehouses_list_has_what_it_was_asked_for_and_nothing_else(
    database: Database, harness: ShippingHarness
) -> None:
    replies_to(database, allocates("clk_0", {"SQUEAKY-BONE": 1}))
    asked(database, "clk_1", "clk_2", "clk_3")
    ship(harness, "clk_2")
    with database.read() as tx:
        first, later = (0, ""), NOON + 1
        assert [each.session for each in list_shipments(tx, "allocated", first, later, 10)] == ["clk_1", "clk_3"]
        assert [each.session for each in list_shipments(tx, "allocated", (NOON, "clk_1"), later, 10)] == ["clk_3"]
        assert [each.session for each in list_shipments(tx, "shipped", first, later, 10)] == ["clk_2"]


def test_the_automatic_warehouse_ships_after_its_pause(
    database: Database, harness: ShippingHarness, clock: Clock
) -> None:
    asked(database, "clk_1", "clk_2")
    clock.now += 999
    assert ship_due(harness.shipping, 1.0) == 0
    clock.now += 1
    assert ship_due(harness.shipping, 1.0) == 2
    assert ship_due(harness.shipping, 1.0) == 0
    assert statuses(database, ["clk_1", "clk_2"]) == {"clk_1": "shipped", "clk_2": "shipped"}
    assert harness.told == 1, "both answers go in one delivery"


def test_the_automatic_warehouse_leaves_alone_what_it_was_not_asked_for(
    database: Database, harness: ShippingHarness, clock: Clock
) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 1}))
    clock.now += 60_000
    assert ship_due(harness.shipping, 1.0) == 0


def test_a_sleds_label_is_the_same_for_the_same_session() -> None:
    assert sled_label("clk_1") == sled_label("clk_1")
    assert sled_label("clk_1") != sled_label("clk_2")
    assert sled_label("clk_1").carrier == CARRIER


def test_one_tick_ships_at_most_a_batch(database: Database, harness: ShippingHarness, clock: Clock) -> None:
    with database.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE stock SET on_hand = 1000")
    asked(database, *(f"clk_{number:03}" for number in range(AT_ONCE + 1)))
    clock.now += 1000
    assert [ship_due(harness.shipping, 1.0), ship_due(harness.shipping, 1.0)] == [AT_ONCE, 1]
