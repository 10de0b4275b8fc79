"""Pure: the shop has the order that the Clerk says, and nothing of a session that did not complete (I6, I14)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.document import part
from shop_service.facts import OrderFacts
from verifier.compare import differences
from verifier.facts import Facts
from verifier.repairs import BY_HAND, RESTORED, undo_at
from verifier.violation import Violation


def check_order(facts: Facts) -> Iterator[Violation]:
    shop, state = facts.services.shop, facts.state_of("StartShopping")
    if facts.failed or state in ("undone", "refused", "to_do"):
        yield from _nothing_left(facts)
    elif state == "done":
        yield from _placed(facts, shop.order)
    if shop.loose:
        found = f"{shop.loose} lines of neither a cart nor an order"
        yield Violation("I6", facts.id, "every line belongs to a cart or an order", found, BY_HAND)


def _nothing_left(facts: Facts) -> Iterator[Violation]:
    shop = facts.services.shop
    kept = [name for name, there in (("a cart", shop.cart), ("an order", shop.order)) if there]
    if kept:
        repair = undo_at(facts, "shop")
        expected = f"the shop keeps nothing of a session that did not complete ({facts.saga.status})"
        yield Violation("I6", facts.id, expected, f"it has {' and '.join(kept)}", repair)


def _placed(facts: Facts, order: OrderFacts | None) -> Iterator[Violation]:
    if facts.services.shop.cart:
        yield Violation("I14", facts.id, "the cart went when the order was placed", "it is still there", BY_HAND)
    if order is None:
        yield Violation("I14", facts.id, "the shop has the placed order", "it has none", RESTORED)
        return
    document = facts.saga.document
    section, head = part(document, "order"), part(document, "clerk")
    expected = {
        "status": section.get("status"),
        "items": section.get("items"),
        "total": section.get("total"),
        "customer": part(document, "customer").get("id"),
        "currency": head.get("currency"),
        "secret_sha256": head.get("secret_sha256"),
    }
    found = {
        "status": "placed",
        "items": list(order.items),
        "total": order.total,
        "customer": order.customer,
        "currency": order.currency,
        "secret_sha256": order.secret_sha256,
    }
    yield from differences(facts, "shop", "order", expected, found)
    sums = sum(item["total"] for item in order.items)
    if type(order.total) is not int or sums != order.total:
        yield Violation("I3", facts.id, f"the order's lines come to its total, {order.total}", f"to {sums}", BY_HAND)
