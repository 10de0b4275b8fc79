"""For fulfillment's tests: a session's commands, the replies to them, and the stock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from domain.messages import Command, Reply
from fulfillment_service.handlers import fulfillment
from fulfillment_service.queries import set_on_hand
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.stock import Stock
from fulfillment_service.store import FulfillmentUnitOfWork, read_shipments, stock, technical, turns
from fulfillment_service.use_cases import ShippingUseCases
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from messaging.turns import Dispatcher

NOON = 1_764_000_000_000
"""The clock of the tests' databases, in ms."""
ADDRESS = {"street": "Bone Street 1", "city": "Dogtown"}
MANUAL = FulfillmentSettings(warehouse="manual")
AT_ONCE = FulfillmentSettings(warehouse="auto", auto_after=0)


def secret_for(session: str) -> str:
    return f"cs_{session}"


def hash_of(session: str) -> str:
    return hashlib.sha256(secret_for(session).encode()).hexdigest()


def document(session: str, ordered: Mapping[str, int]) -> dict[str, Any]:
    items = [{"sku": sku, "name": sku.title(), "quantity": quantity} for sku, quantity in ordered.items()]
    return {
        "clerk": {"id": session, "secret_sha256": hash_of(session)},
        "order": {"status": "placed", "items": items},
        "customer": {"id": "ada", "name": "Ada", "email": "ada@example.org", "shipping_address": ADDRESS},
        "metadata": {"left": "alone"},
    }


def allocates(session: str, ordered: Mapping[str, int]) -> Command:
    return _command(session, "stock", "AllocateStock", "do", document(session, ordered))


def releases(session: str, claims: Mapping[str, int] | None = None) -> Command:
    """ReleaseStock; its document may claim that something else was ordered."""
    return _command(session, "stock", "ReleaseStock", "undo", document(session, claims or {"SQUEAKY-BONE": 1}))


def asks_to_ship(session: str, deadline: int | None = None) -> Command:
    return _command(session, "shipping", "ShipOrder", "do", document(session, {"SQUEAKY-BONE": 1}), deadline)


def delivers(session: str, ordered: Mapping[str, int]) -> Command:
    return _command(session, "delivery", "DeliverOrder", "do", document(session, ordered))


def _command(
    session: str, step: str, name: str, direction: Any, content: dict[str, Any], deadline: int | None = None
) -> Command:
    return Command(
        service="fulfillment",
        name=name,
        version=1,
        clerk=session,
        step=step,
        attempt=1,
        direction=direction,
        document=content,
        sent_at=NOON,
        deadline=deadline,
    )


def dispatcher(settings: FulfillmentSettings = MANUAL) -> Dispatcher[FulfillmentUnitOfWork]:
    return Dispatcher(fulfillment(settings), turns)


def replies_to(database: Database, *commands: Command, settings: FulfillmentSettings = MANUAL) -> list[Reply]:
    """What fulfillment replies to one batch."""
    with database.begin() as tx:
        replies = dispatcher(settings).handle(tx, commands)
    return [reply for reply in replies if isinstance(reply, Reply)]


class ShippingHarness:
    """The use case, with the messages to ShopManager counted."""

    def __init__(self, database: Database) -> None:
        self.broker = MemoryBroker()
        transport = self.broker.transport(None, "fulfillment")
        transport.start()
        self.shipping = ShippingUseCases(database, dispatcher(), Outbox(technical.outbox, database, transport))

    @property
    def told(self) -> int:
        """How many deliveries went to ShopManager."""
        return self.broker.depth("shop_manager.replies.v1")


def stocks(database: Database, pieces: Mapping[str, int]) -> None:
    with database.begin() as tx:
        for sku, on_hand in pieces.items():
            set_on_hand(tx, sku, on_hand)


def stock_now(database: Database) -> dict[str, tuple[int, int, int]]:
    """(on hand, reserved, shipped) by sku."""
    with database.read() as tx:
        return {row.sku: (row.on_hand, row.reserved, row.shipped) for row in tx.execute(select(stock))}


def statuses(database: Database, sessions: Iterable[str]) -> dict[str, str]:
    with database.read() as tx:
        return {session: each.status for session, each in read_shipments(tx, sessions).items()}


def pieces(on_hand: int, reserved: int = 0, shipped: int = 0, sku: str = "SQUEAKY-BONE") -> Stock:
    return Stock(sku, on_hand, reserved, shipped)
