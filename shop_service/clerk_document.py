"""What the shop reads of a Clerk document: whose session it is, in which shop, and what was brought along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.document import part
from domain.messages import Command
from shop_service.order import Cart


def cart_of(command: Command) -> Cart:
    """The cart that the command asks for; ValueError names the field that is missing or wrong."""
    clerk = part(command.document, "clerk")
    customer = part(command.document, "customer").get("id")
    shop_type = clerk.get("shop_type")
    if shop_type not in ("physical", "digital", "mixed"):
        raise ValueError("document.clerk.shop_type is neither physical nor digital nor mixed")
    return Cart(
        session=command.clerk,
        secret_sha256=_text(clerk, "secret_sha256"),
        customer=customer if isinstance(customer, str) and customer else None,
        currency=_text(clerk, "currency"),
        shop_type=shop_type,
    )


def secret_of(command: Command) -> str:
    """The hash of the session's secret, or nothing where the document has none: an undo never fails for that."""
    secret = part(command.document, "clerk").get("secret_sha256")
    return secret if isinstance(secret, str) else ""


def brought_items(command: Command) -> list[tuple[str, int]] | None:
    """(sku, quantity) of the order that the session brought along; None when the customer shops by hand.

    ValueError when it is no list of such pairs: ShopManager does not let that through.
    """
    items = _brought(command).get("items")
    if items is None:
        return None
    if not isinstance(items, list):
        raise ValueError("document.clerk.brought.items is no list")
    return [_item(item) for item in items]


def expected_total(command: Command) -> int | None:
    """What the order that was brought along may come to, in minor units; None when any total will do."""
    total = _brought(command).get("expected_total")
    if total is not None and type(total) is not int:
        raise ValueError("document.clerk.brought.expected_total is no amount in minor units")
    return total


def _brought(command: Command) -> Mapping[str, Any]:
    brought = part(command.document, "clerk").get("brought")
    return brought if isinstance(brought, dict) else {}


def _item(item: Any) -> tuple[str, int]:
    if not isinstance(item, dict) or not isinstance(item.get("sku"), str) or type(item.get("quantity")) is not int:
        raise ValueError("document.clerk.brought.items holds something else than {sku, quantity}")
    return item["sku"], item["quantity"]


def _text(section: Mapping[str, Any], field: str) -> str:
    value = section.get(field)
    if not isinstance(value, str) or not value:
        raise ValueError(f"document.clerk.{field} is missing")
    return value
