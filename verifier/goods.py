"""I4 and I14 of goods, pure: what is reserved is reserved for live orders, and no piece appears or vanishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.document import part
from fulfillment_service.audit import HELD, ShipmentFacts, StockFacts
from verifier.compare import differences
from verifier.drift import Drift
from verifier.facts import Facts
from verifier.remedies import BY_HAND, RESTORED, undo_at


def check_goods(facts: Facts) -> Iterator[Drift]:
    shipment = facts.services.fulfillment.shipment
    allocate, deliver = facts.state_of("AllocateStock"), facts.state_of("DeliverOrder")
    if facts.failed or "undone" in (allocate, deliver) or (allocate, deliver) in NEVER_HELD:
        yield from _nothing_held(facts, shipment)
        if not facts.asks("fulfillment") and allocate == "undone" and shipment:
            yield from _agrees(facts, shipment)
    elif not facts.asks("fulfillment"):
        yield from _as_far_as_asked(facts, shipment)


NEVER_HELD = {
    (allocate, deliver) for allocate in ("none", "to_do", "refused") for deliver in ("none", "to_do", "refused")
}
"""(state of AllocateStock, state of DeliverOrder) of orders for which nothing may be set aside."""


def _nothing_held(facts: Facts, shipment: ShipmentFacts | None) -> Iterator[Drift]:
    if shipment and shipment.status != "released":
        repair = undo_at(facts, "fulfillment") if shipment.status in HELD else BY_HAND
        found = f"{_told(shipment.pieces)} {shipment.status}"
        yield Drift("I4", facts.id, f"no goods are set aside: the Clerk is {facts.saga.status}", found, repair)


def _as_far_as_asked(facts: Facts, shipment: ShipmentFacts | None) -> Iterator[Drift]:
    wanted = _wanted(facts)
    if shipment is None:
        yield Drift("I4", facts.id, f"goods are {wanted[0]}", "fulfillment has none", RESTORED)
        return
    if shipment.status not in wanted:
        yield Drift("I4", facts.id, f"goods are {' or '.join(wanted)}", f"they are {shipment.status}", RESTORED)
    yield from _agrees(facts, shipment)


def _wanted(facts: Facts) -> Sequence[str]:
    if facts.state_of("DeliverOrder") == "done":
        return ("delivered",)
    return ("shipped",) if facts.state_of("ShipOrder") == "done" else ("allocated",)


def _agrees(facts: Facts, shipment: ShipmentFacts) -> Iterator[Drift]:
    document = facts.saga.document
    yield from differences(facts, "fulfillment", "shipment", part(document, "shipment"), shipment.section)
    ordered: Counter[str] = Counter()
    for item in part(document, "order").get("items") or ():
        ordered[item["sku"]] += item["quantity"]
    if facts.state_of("StartShopping") == "done" and ordered != Counter(shipment.pieces):
        yield Drift("I14", facts.id, f"{_told(ordered)} ordered", f"{_told(shipment.pieces)} there", RESTORED)


def check_stock(stock: Iterable[StockFacts]) -> Iterator[Drift]:
    """Sums over all shipments. What an article began with only its operator knows, who may count it anew."""
    for each in stock:
        yield from _sum(each.sku, "reserved", each.reserved, each.in_allocations)
        yield from _sum(each.sku, "shipped", each.shipped, each.in_shipments)
        for name in ("on_hand", "reserved", "shipped"):
            if getattr(each, name) < 0:
                expected = f"{each.sku}: never less than nothing {name}"
                yield Drift("I4", None, expected, f"{getattr(each, name)}", "by hand: count the article anew")


def _sum(sku: str, name: str, counted: int, summed: int) -> Iterator[Drift]:
    if counted != summed:
        expected = f"{sku}: {name} is what all orders together have, {summed}"
        repair = "by hand: compare the article's shipments with what is on the shelf, then count it anew"
        yield Drift("I4", None, expected, f"{counted}", repair)


def _told(pieces: Mapping[str, int]) -> str:
    return ", ".join(f"{quantity} × {sku}" for sku, quantity in sorted(pieces.items())) or "nothing"
