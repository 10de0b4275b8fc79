"""What may become of a shipment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.refusals import Refused
from fulfillment_service.shipment import (
    Recipient,
    Shipment,
    ShipmentItem,
    ShipmentStatus,
    ShippingLabel,
    ask_for,
    release,
    ship,
)

ALLOCATED = Shipment("clk_1", "hash", "allocated", [ShipmentItem("SQUEAKY-BONE", "Squeaky bone", 2)])
TO_ADA = Recipient("Ada", {"city": "Dogtown"})
SLED = ShippingLabel("Dog Sled", "SLED-1")


def in_state(status: ShipmentStatus) -> Shipment:
    return replace(ALLOCATED, status=status)


def test_goods_leave_after_they_were_asked_for() -> None:
    shipped = ship(ask_for(ALLOCATED, "shipping", TO_ADA, 5), SLED, 1_764_000_000_123)
    assert isinstance(shipped, Shipment)
    assert shipped.section() == {
        "status": "shipped",
        "carrier": "Dog Sled",
        "tracking": "SLED-1",
        "shipped_at": "2025-11-24T16:00:00.123Z",
    }


def test_goods_that_nobody_asked_to_ship_stay_in_the_house() -> None:
    refusal = ship(ALLOCATED, SLED, 9)
    assert isinstance(refusal, Refused)
    assert refusal.code == "not_to_be_shipped_yet"


def test_what_has_left_stays_as_it_left() -> None:
    shipped = ship(in_state("requested"), SLED, 9)
    assert isinstance(shipped, Shipment)
    assert ship(shipped, ShippingLabel("Other", "OTHER-2"), 99) is shipped


@pytest.mark.parametrize("status", ["released", "delivered"])
def test_nothing_is_left_to_ship_of_released_goods_and_downloads(status: ShipmentStatus) -> None:
    refusal = ship(in_state(status), SLED, 9)
    assert isinstance(refusal, Refused)
    assert refusal.code == "session_ended"


@pytest.mark.parametrize("status", ["shipped", "delivered", "released"])
def test_only_allocated_goods_can_be_asked_for(status: ShipmentStatus) -> None:
    with pytest.raises(ValueError, match=status):
        ask_for(in_state(status), "shipping", TO_ADA, 5)


def test_the_outside_sees_goods_that_are_asked_for_as_allocated() -> None:
    assert ask_for(ALLOCATED, "shipping", TO_ADA, 5).section()["status"] == "allocated"


@pytest.mark.parametrize("status", ["allocated", "requested"])
def test_goods_in_the_house_can_be_released(status: ShipmentStatus) -> None:
    released = release(in_state(status), 9)
    assert isinstance(released, Shipment)
    assert (released.status, released.since) == ("released", 9)


@pytest.mark.parametrize("status", ["shipped", "delivered"])
def test_goods_that_have_left_cannot_be_put_back_on_the_shelf(status: ShipmentStatus) -> None:
    refusal = release(in_state(status), 9)
    assert isinstance(refusal, Refused)
    assert refusal.code == "already_shipped"
