"""Where goods leave the house: shipped by the warehouse's people or by the automatic one, it is the same act.

One transaction under the Clerks' locks: the stock moves, the turns that waited are concluded, ShopManager is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.messages import Reply
from domain.refusals import Refused
from fulfillment_service.shipment import Label, Shipment, ship
from fulfillment_service.stock import hand_over
from fulfillment_service.store import FulfillmentBooks, read_shipments, read_stock
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.turns import Desk, Done, Turn

ENDED = Refused("session_ended", "nobody waits for this shipment any more")
UNKNOWN = Refused("not_found", "there is no such shipment")


def send_off(shipment: Shipment, label: Label, books: FulfillmentBooks, now: int) -> Shipment | Refused:
    """The shipment leaves and its pieces count as shipped; one that has left changes nothing."""
    shipped = ship(shipment, label, now)
    if isinstance(shipped, Refused) or shipped is shipment:
        return shipped
    for item in shipment.items:
        books.move(hand_over(books.stock[item.sku], item.quantity))
    books.keep(shipped)
    return shipped


@dataclass(frozen=True)
class Dock:
    """Ships what has been asked for."""

    database: Database
    desk: Desk[FulfillmentBooks]
    outbox: Outbox

    def ship(self, labels: Mapping[str, Label]) -> dict[str, Shipment | Refused]:
        """Ship the sessions' goods, all in one transaction; what became of each, by session.

        Refused: `not_found`, `not_to_be_shipped_yet`, `session_ended`.
        """
        with self.database.begin() as tx:
            now = tx.lock(labels)
            books, turns = self._read(tx, labels)
            outcomes: dict[str, Shipment | Refused] = {}
            ended: list[Turn] = []
            replies: list[Reply] = []
            for session, label in labels.items():
                shipment = books.shipment(session)
                turn = turns.get(session)
                outcomes[session] = outcome = _leave(shipment, turn, label, books, now)
                if turn and turn.command and outcome is not shipment and isinstance(outcome, Shipment):
                    done, reply = self.desk.conclude(turn, turn.command, Done(outcome.section()), now)
                    ended += [done] if done else []
                    replies += [reply] if reply else []
            self.desk.write(tx, ended, now)
            books.save(tx)
            parcels = self.outbox.write(tx, replies, now)
        self.outbox.post(parcels)
        return outcomes

    def _read(self, tx: Tx, labels: Mapping[str, Label]) -> tuple[FulfillmentBooks, dict[str, Turn]]:
        """The shipments, the stock of those that may leave, and the turns that wait for them, by session."""
        kept = read_shipments(tx, labels)
        asked = [shipment for shipment in kept.values() if shipment.status == "requested"]
        turns = self.desk.read(tx, {(each.session, each.step) for each in asked if each.step})
        waiting = {turn.clerk: turn for turn in turns.values() if turn.state == "waiting"}
        pieces = {item.sku for shipment in asked for item in shipment.items}
        return FulfillmentBooks(read_stock(tx, pieces), kept), waiting


def _leave(
    shipment: Shipment | None, turn: Turn | None, label: Label, books: FulfillmentBooks, now: int
) -> Shipment | Refused:
    if shipment is None:
        return UNKNOWN
    if shipment.status == "requested" and (turn is None or _is_over(turn, now)):
        return ENDED
    return send_off(shipment, label, books, now)


def _is_over(turn: Turn, now: int) -> bool:
    """From the pivot on there is no deadline: what is overdue is shipped all the same (T2)."""
    return turn.deadline is not None and now >= turn.deadline
