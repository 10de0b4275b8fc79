"""The rules of a session's shipment, pure: what state it is in, and what may become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.refusals import Refused
from domain.times import to_wire

Status = Literal["allocated", "requested", "shipped", "delivered", "released"]
"""allocated: reserved, must not leave yet; requested: the warehouse has been asked for it; delivered: a download."""
PublicStatus = Literal["allocated", "shipped", "delivered", "released"]


@dataclass(frozen=True, slots=True)
class Item:
    """So many pieces of one article."""

    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Label:
    """What is stuck on the parcel."""

    carrier: str
    tracking: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """One session's goods. `step` is the step that waits for the warehouse. Moments in ms."""

    session: str
    secret_sha256: str
    status: Status
    items: Sequence[Item]
    carrier: str | None = None
    tracking: str | None = None
    step: str | None = None
    asked_at: int | None = None
    shipped_at: int | None = None

    @property
    def public_status(self) -> PublicStatus:
        """What the outside calls it: goods stay allocated until they have left."""
        return "allocated" if self.status == "requested" else self.status

    def section(self) -> dict[str, Any]:
        """What the Clerk document's `shipment` section says of it."""
        section = {"status": self.public_status, "carrier": self.carrier, "tracking": self.tracking}
        return section if self.shipped_at is None else {**section, "shipped_at": to_wire(self.shipped_at)}


def ask_for(shipment: Shipment, step: str, now: int) -> Shipment:
    """The warehouse is asked to ship what was allocated; ValueError when there is nothing to ship."""
    if shipment.status not in ("allocated", "requested"):
        raise ValueError(f"the shipment is {shipment.status}: only allocated goods can be asked for")
    return replace(shipment, status="requested", step=step, asked_at=now)


def ship(shipment: Shipment, label: Label, now: int) -> Shipment | Refused:
    """The goods leave; a shipment that has left stays as it left.

    Refused: `not_to_be_shipped_yet` (nobody has asked for it: the money may not be there), `session_ended`.
    """
    if shipment.status == "shipped":
        return shipment
    if shipment.status == "allocated":
        return Refused("not_to_be_shipped_yet", "these goods are reserved, but nobody has asked to ship them yet")
    if shipment.status != "requested":
        return Refused("session_ended", f"there is nothing left to ship: the shipment is {shipment.status}")
    return replace(shipment, status="shipped", carrier=label.carrier, tracking=label.tracking, shipped_at=now)


def release(shipment: Shipment) -> Shipment | Refused:
    """The goods are free again; Refused `already_shipped` when they have left the house."""
    if shipment.status in ("shipped", "delivered"):
        return Refused("already_shipped", f"the shipment is {shipment.status}: it cannot be put back on the shelf")
    return replace(shipment, status="released")
