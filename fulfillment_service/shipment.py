"""The rules of a session's shipment, pure: what state it is in, and what may become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.refusals import Refused
from domain.times import to_wire

ShipmentStatus = Literal["allocated", "downloads", "requested", "shipped", "delivered", "released"]
"""allocated: reserved, must not leave yet; downloads: nothing to reserve, must not be had yet; requested: the warehouse
has been asked for it; delivered: downloads that can be had.
"""
PublicShipmentStatus = Literal["allocated", "shipped", "delivered", "released"]


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    """So many pieces of one article."""

    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShippingLabel:
    """What is written on the package."""

    carrier: str
    tracking: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the package, and where; the address is the client's own JSON object."""

    name: str | None
    shipping_address: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shipment:
    """One session's goods. `step` is the step that waits for the warehouse. Moments in ms.

    `ended_at`: when it was released or delivered; 0 of those of which no moment was kept. `recipient`: who gets it,
    known once the warehouse is asked to ship.
    """

    session: str
    secret_sha256: str
    status: ShipmentStatus
    items: Sequence[ShipmentItem]
    carrier: str | None = None
    tracking: str | None = None
    step: str | None = None
    asked_at: int | None = None
    shipped_at: int | None = None
    ended_at: int = 0
    recipient: Recipient | None = None

    @property
    def since(self) -> int:
        """The moment at which it came to its status, as far as it can be listed: allocated goods cannot."""
        moments = {"requested": self.asked_at, "shipped": self.shipped_at}
        return moments.get(self.status, self.ended_at) or 0

    @property
    def public_status(self) -> PublicShipmentStatus:
        """What the outside calls it: goods stay allocated until they have left."""
        if self.status == "requested" or self.status == "downloads":  # noqa: PLR1714  # a type checker reads only this
            return "allocated"
        return self.status

    def section(self) -> dict[str, Any]:
        """What the Clerk document's `shipment` section says of it."""
        section = {"status": self.public_status, "carrier": self.carrier, "tracking": self.tracking}
        return section if self.shipped_at is None else {**section, "shipped_at": to_wire(self.shipped_at)}


def ask_for(shipment: Shipment, step: str, recipient: Recipient, now: int) -> Shipment:
    """The warehouse is asked to ship what was allocated; ValueError when there is nothing to ship."""
    if shipment.status not in ("allocated", "requested"):
        raise ValueError(f"the shipment is {shipment.status}: only allocated goods can be asked for")
    return replace(shipment, status="requested", step=step, recipient=recipient, asked_at=now)


def deliver(shipment: Shipment, now: int) -> Shipment:
    """Downloads can be had from now on."""
    return replace(shipment, status="delivered", ended_at=now)


def ship(shipment: Shipment, label: ShippingLabel, now: int) -> Shipment | Refused:
    """The goods leave; a shipment that has left stays as it left.

    Refused: `not_to_be_shipped_yet` (nobody has asked for it: the money may not be there), `session_ended`.
    """
    if shipment.status == "shipped":
        return shipment
    if shipment.status == "allocated":
        return Refused(
            "not_to_be_shipped_yet",
            "these goods are reserved, but not to be shipped yet: `GET /fulfillment/shipments` lists those that are",
        )
    if shipment.status != "requested":
        return Refused("session_ended", f"there is nothing left to ship: the shipment is {shipment.status}")
    return replace(shipment, status="shipped", carrier=label.carrier, tracking=label.tracking, shipped_at=now)


def release(shipment: Shipment, now: int) -> Shipment | Refused:
    """The goods are free again; Refused `already_shipped` when they have left."""
    if shipment.status in ("shipped", "delivered"):
        return Refused("already_shipped", f"the shipment is {shipment.status}: it cannot be put back on the shelf")
    return replace(shipment, status="released", ended_at=now)
