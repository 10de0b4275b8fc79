"""Pure: pieces are reserved for live orders only, as the Clerk says, and no piece appears or vanishes (I4, I14)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.document import part
from fulfillment_service.facts import HELD, ShipmentFacts, StockFacts
from verifier.compare import differences
from verifier.facts import Facts
from verifier.repairs import BY_HAND, RESTORED, Repair, undo_at
from verifier.violation import Violation


def check_shipment(facts: Facts) -> Iterator[Violation]:
    shipment = facts.services.fulfillment.shipment
    allocate, deliver = facts.state_of("AllocateStock"), facts.state_of("DeliverOrder")
    if facts.failed or "undone" in (allocate, deliver) or (allocate, deliver) in NEVER_HELD:
        yield from _nothing_held(facts, shipment)
        if not facts.asks("fulfillment") and allocate == "undone" and shipment:
            yield from _agrees_with_document(facts, shipment)
    elif not facts.asks("fulfillment"):
        yield from _as_far_as_asked(facts, shipment)


COUNT_ANEW = Repair("by hand: count the article anew")
NEVER_HELD = {
    (allocate, deliver) for allocate in ("none", "to_do", "refused") for deliver in ("none", "to_do", "refused")
}
"""(state of AllocateStock, state of DeliverOrder) of orders for which nothing may be set aside."""


def _nothing_held(facts: Facts, shipment: ShipmentFacts | None) -> Iterator[Violation]:
    if shipment and shipment.status != "released":
        repair = undo_at(facts, "fulfillment") if shipment.status in (*HELD, "downloads") else BY_HAND
        found = f"{_listed(shipment.pieces)} {shipment.status}"
        yield Violation("I4", facts.id, f"no goods are set aside: the Clerk is {facts.saga.status}", found, repair)


def _as_far_as_asked(facts: Facts, shipment: ShipmentFacts | None) -> Iterator[Violation]:
    wanted = _wanted(facts)
    if shipment is None:
        yield Violation("I4", facts.id, f"goods are {wanted[0]}", "fulfillment has none", RESTORED)
        return
    if shipment.status not in wanted:
        yield Violation("I4", facts.id, f"goods are {' or '.join(wanted)}", f"they are {shipment.status}", RESTORED)
    yield from _agrees_with_document(facts, shipment)


def _wanted(facts: Facts) -> Sequence[str]:
    if facts.state_of("DeliverOrder") == "done":
        return ("delivered",)
    downloads_only = not _parcel(facts)
    if facts.state_of("ShipOrder") == "done":
        return ("delivered",) if downloads_only else ("shipped",)
    return ("downloads",) if downloads_only else ("allocated",)


def _ordered(facts: Facts) -> Sequence[Mapping[str, Any]]:
    return part(facts.saga.document, "order").get("items") or ()


def _parcel(facts: Facts) -> Sequence[Mapping[str, Any]]:
    """The lines that are shipped; one that does not say what it is, is."""
    return [line for line in _ordered(facts) if line.get("kind") != "digital"]


def _agrees_with_document(facts: Facts, shipment: ShipmentFacts) -> Iterator[Violation]:
    document = facts.saga.document
    yield from differences(facts, "fulfillment", "shipment", part(document, "shipment"), shipment.section)
    ordered: Counter[str] = Counter()
    for item in _parcel(facts) or _ordered(facts):  # downloads are kept where there is nothing else
        ordered[item["sku"]] += item["quantity"]
    if facts.state_of("StartShopping") == "done" and ordered != Counter(shipment.pieces):
        yield Violation("I14", facts.id, f"{_listed(ordered)} ordered", f"{_listed(shipment.pieces)} there", RESTORED)


def check_stock(stock: Iterable[StockFacts]) -> Iterator[Violation]:
    """Sums over all shipments. How many pieces there were in the beginning is not known: operators may change it."""
    for each in stock:
        yield from _sum(each.sku, "reserved", each.reserved, each.in_allocations)
        yield from _sum(each.sku, "shipped", each.shipped, each.in_shipments)
        for name in ("on_hand", "reserved", "shipped"):
            if getattr(each, name) < 0:
                expected = f"{each.sku}: never less than nothing {name}"
                yield Violation("I4", None, expected, f"{getattr(each, name)}", COUNT_ANEW)


def _sum(sku: str, name: str, counted: int, summed: int) -> Iterator[Violation]:
    if counted != summed:
        expected = f"{sku}: {name} is what all orders together have, {summed}"
        repair = Repair("by hand: compare the article's shipments with what is on the shelf, then count it anew")
        yield Violation("I4", None, expected, f"{counted}", repair)


def _listed(pieces: Mapping[str, int]) -> str:
    return ", ".join(f"{quantity} × {sku}" for sku, quantity in sorted(pieces.items())) or "nothing"
