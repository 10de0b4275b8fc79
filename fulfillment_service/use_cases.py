"""Shipping, the same whether a person in the warehouse ships or the automatic warehouse does; and taking stock.

To ship is one transaction under the Clerks' locks: the stock moves, the turns that waited are concluded, ShopManager is
told. Whoever changes a stock by hand locks the article's row, as sales do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from domain.refusals import Refused
from fulfillment_service.queries import read_adjustment, set_on_hand, stock_of
from fulfillment_service.shipment import Shipment, ShippingLabel, ship
from fulfillment_service.stock import Stock, adjust, hand_over
from fulfillment_service.store import (
    FulfillmentUnitOfWork,
    read_shipments,
    read_stock,
    stock,
    stock_adjustments,
)
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.turns import Dispatcher, Done, HandlerResult, Turn

ENDED = Refused("session_ended", "nobody waits for this shipment any more")
UNKNOWN = Refused("not_found", "there is no such shipment")


def send_off(shipment: Shipment, label: ShippingLabel, uow: FulfillmentUnitOfWork, now: int) -> Shipment | Refused:
    """The shipment leaves and its pieces count as shipped; one that has left changes nothing."""
    shipped = ship(shipment, label, now)
    if isinstance(shipped, Refused) or shipped is shipment:
        return shipped
    for item in shipment.items:
        uow.move(hand_over(uow.stock[item.sku], item.quantity))
    uow.keep(shipped)
    return shipped


@dataclass(frozen=True)
class ShippingUseCases:
    """Ships what has been asked for."""

    database: Database
    dispatcher: Dispatcher[FulfillmentUnitOfWork]
    outbox: Outbox

    def ship(self, labels: Mapping[str, ShippingLabel]) -> dict[str, Shipment | Refused]:
        """Ship the sessions' goods, all in one transaction; what became of each, by session.

        Refused: `not_found`, `not_to_be_shipped_yet`, `session_ended`.
        """
        with self.database.begin() as tx:
            now = tx.lock(labels)
            uow, turns = self._read(tx, labels)
            outcomes: dict[str, Shipment | Refused] = {}
            results: list[tuple[Turn, HandlerResult]] = []
            for session, label in labels.items():
                shipment = uow.shipment(session)
                turn = turns.get(session)
                outcomes[session] = outcome = _leave(shipment, turn, label, uow, now)
                if turn and outcome is not shipment and isinstance(outcome, Shipment):
                    results.append((turn, Done(outcome.section())))
            replies = self.dispatcher.conclude_waiting(tx, results, now)
            uow.save(tx)
            outbound = self.outbox.write(tx, replies, now)
        self.outbox.post(outbound)
        return outcomes

    def _read(self, tx: Tx, labels: Mapping[str, ShippingLabel]) -> tuple[FulfillmentUnitOfWork, dict[str, Turn]]:
        """The shipments, the stock of those that may leave, and the turns that wait for them, by session."""
        kept = read_shipments(tx, labels)
        asked = [shipment for shipment in kept.values() if shipment.status == "requested"]
        turns = self.dispatcher.read(tx, {(each.session, each.step) for each in asked if each.step})
        waiting = {turn.clerk: turn for turn in turns.values() if turn.state == "waiting"}
        pieces = {item.sku for shipment in asked for item in shipment.items}
        return FulfillmentUnitOfWork(read_stock(tx, pieces), kept), waiting


def _leave(
    shipment: Shipment | None, turn: Turn | None, label: ShippingLabel, uow: FulfillmentUnitOfWork, now: int
) -> Shipment | Refused:
    if shipment is None:
        return UNKNOWN
    if shipment.status == "requested" and (turn is None or turn.is_over(now)):
        return ENDED
    return send_off(shipment, label, uow, now)


Precondition = Callable[[Stock | None], None]
"""Raises, before anything is changed, when the client has not seen the stock as it is now."""


def whatever_it_is(stock: Stock | None) -> None:
    """The precondition of a client that names none."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """So many pieces more (or fewer), and why. `reference` is the client's name for this one, once an article."""

    delta: int
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The stock as it is now. `replayed`: it was adjusted before; `refusal`: it was not, and why."""

    stock: Stock
    replayed: bool = False
    refusal: Refused | None = None


@dataclass(frozen=True)
class StockUseCases:
    """What people do with an article's stock. One that was never in stock has no pieces."""

    database: Database

    def show(self, sku: str) -> Stock | None:
        """None for an article that was never in stock."""
        with self.database.look() as tx:
            return stock_of(tx, sku)

    def count(self, sku: str, on_hand: int, unchanged: Precondition) -> Stock:
        """So many pieces are on hand now, beside those that are reserved. Returns the stock after it."""
        with self.database.begin() as tx:
            _, kept = _locked(tx, sku)
            unchanged(kept)
            set_on_hand(tx, sku, on_hand)
            return Stock(sku, on_hand, kept.reserved, kept.shipped) if kept else Stock(sku, on_hand)

    def adjust(self, sku: str, wanted: Adjustment, unchanged: Precondition = whatever_it_is) -> Adjusted:
        """So many pieces more or fewer; the same reference again changes nothing, and is not asked what it has seen.

        Refused: `out_of_stock`, `quantity_out_of_range`, `idempotency_conflict` (the reference had another delta).
        """
        with self.database.begin() as tx:
            now, found = _locked(tx, sku)
            kept = found or Stock(sku)
            before = read_adjustment(tx, sku, wanted.reference)
            if before == wanted.delta:
                return Adjusted(kept, replayed=True)
            if before is not None:
                return Adjusted(kept, refusal=Refused("idempotency_conflict", f"it was used for {before:+} pieces"))
            unchanged(found)
            adjusted = adjust(kept, wanted.delta)
            if isinstance(adjusted, Refused):
                return Adjusted(kept, refusal=adjusted)
            tx.upsert(stock, [asdict(adjusted)], ["sku"])
            tx.insert(stock_adjustments, [{"sku": sku, **asdict(wanted), "adjusted_at": now}])
            return Adjusted(adjusted)


def _locked(tx: Tx, sku: str) -> tuple[int, Stock | None]:
    """The time, and the article's stock, which nobody else changes before the transaction ends.

    The row's lock keeps sales away; an article without a row has the lock of its name.
    """
    now = tx.lock([f"stock:{sku}"])
    return now, read_stock(tx, [sku]).get(sku)
