"""What fulfillment reads of a Clerk document: what was ordered, and whose session it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.document import part
from domain.messages import Command
from fulfillment_service.shipment import Recipient, ShipmentItem


def ordered_items(command: Command) -> list[ShipmentItem]:
    """What the shop says was ordered, one entry an article; ValueError when the order is none."""
    return _summed(map(_item, _lines(command)))


def items_to_ship(command: Command) -> list[ShipmentItem]:
    """The same without downloads; a line that does not say what it is (an older document's) is a parcel's."""
    return _summed(_item(line) for line in _lines(command) if not _is_download(line))


def _lines(command: Command) -> list[Any]:
    items = part(command.document, "order").get("items")
    if not isinstance(items, list) or not items:
        raise ValueError("document.order.items is no list of ordered articles")
    return items


def _is_download(line: Any) -> bool:
    return isinstance(line, Mapping) and line.get("kind") == "digital"


def _summed(items: Iterable[ShipmentItem]) -> list[ShipmentItem]:
    found: dict[str, ShipmentItem] = {}
    for item in items:
        before = found[item.sku].quantity if item.sku in found else 0
        found[item.sku] = ShipmentItem(item.sku, item.name, before + item.quantity)
    return list(found.values())


def recipient_of(command: Command) -> Recipient:
    """Who gets the package, as the session says at this moment."""
    customer = part(command.document, "customer")
    name = customer.get("name")
    return Recipient(name if isinstance(name, str) else None, part(dict(customer), "shipping_address"))


def secret_of(command: Command) -> str:
    """The hash of the session's secret; ValueError when the document has none."""
    secret = part(command.document, "clerk").get("secret_sha256")
    if not isinstance(secret, str) or not secret:
        raise ValueError("document.clerk.secret_sha256 is missing")
    return secret


def _item(item: Any) -> ShipmentItem:
    if not isinstance(item, Mapping):
        raise ValueError("document.order.items holds something else than articles")
    sku, quantity = item.get("sku"), item.get("quantity")
    if not isinstance(sku, str) or not sku or type(quantity) is not int or quantity < 1:
        raise ValueError("document.order.items holds an article without sku or quantity")
    return ShipmentItem(sku, str(item.get("name") or sku), quantity)
