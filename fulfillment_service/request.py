"""What fulfillment reads of a Clerk document: what was ordered, and whose session it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.document import part
from domain.messages import Command
from fulfillment_service.shipment import Item


def ordered_items(command: Command) -> list[Item]:
    """What the shop says was ordered, one entry an article; ValueError when the order is none."""
    items = part(command.document, "order").get("items")
    if not isinstance(items, list) or not items:
        raise ValueError("document.order.items is no list of ordered articles")
    found: dict[str, Item] = {}
    for item in map(_item, items):
        before = found[item.sku].quantity if item.sku in found else 0
        found[item.sku] = Item(item.sku, item.name, before + item.quantity)
    return list(found.values())


def secret_of(command: Command) -> str:
    """The hash of the session's secret; ValueError when the document has none."""
    secret = part(command.document, "clerk").get("secret_sha256")
    if not isinstance(secret, str) or not secret:
        raise ValueError("document.clerk.secret_sha256 is missing")
    return secret


def _item(item: Any) -> Item:
    if not isinstance(item, Mapping):
        raise ValueError("document.order.items holds something else than articles")
    sku, quantity = item.get("sku"), item.get("quantity")
    if not isinstance(sku, str) or not sku or type(quantity) is not int or quantity < 1:
        raise ValueError("document.order.items holds an article without sku or quantity")
    return Item(sku, str(item.get("name") or sku), quantity)
