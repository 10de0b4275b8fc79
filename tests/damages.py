"""Ways to damage a shop's databases, each as one bug or one accident would: what `clerk verify` must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import delete, select, update

from fulfillment_service.store import shipments, stock
from messaging.database import Database
from messaging.parked import ParkedMessage, park
from payment_service import store as payment_store
from risk_service import store as risk_store
from shop_manager.engine.tables import clerks
from shop_service import store as shop_store

Databases = Mapping[str, Database]
SKU, QUANTITY, TOTAL = "SQUEAKY-BONE", 2, 2590
LONG_AGO = 600_000
"""Milliseconds: longer than anything takes."""


@dataclass(frozen=True, slots=True)
class Damage:
    """`apply` does it to one Clerk; `concerns`: which one, `failed` (payment and stock undone), `completed` or `live`.

    `invariants`: those that it breaks; `repair`: words of the repair that `clerk verify` must propose.
    """

    name: str
    concerns: str
    invariants: frozenset[str]
    repair: str
    apply: Callable[[Databases, str], None]


def leak_credit(databases: Databases, clerk: str) -> None:
    with databases["risk"].begin() as tx:
        tx.insert(risk_store.reservations, [{"session": clerk, "customer": "ada", "amount": TOTAL}])


def forget_release(databases: Databases, clerk: str) -> None:
    """The undo got lost: the reservation is there, and its turn is `done`."""
    leak_credit(databases, clerk)
    with databases["risk"].begin() as tx:
        tx.execute(update(risk_store.turns).where(risk_store.turns.c.clerk == clerk).values(state="done"))


def keep_stock(databases: Databases, clerk: str) -> None:
    with databases["fulfillment"].begin() as tx:
        tx.execute(update(shipments).where(shipments.c.session == clerk).values(status="allocated"))
        moved = {"on_hand": stock.c.on_hand - QUANTITY, "reserved": stock.c.reserved + QUANTITY}
        tx.execute(update(stock).where(stock.c.sku == SKU).values(moved))


def forget_void(databases: Databases, clerk: str) -> None:
    payments, calls, book = payment_store.payments, payment_store.provider_calls, payment_store.ledger
    with databases["payment"].begin() as tx:
        reference = tx.execute(select(payments.c.reference).where(payments.c.session == clerk)).scalar_one()
        back = {"status": "authorized", "voided": 0, "undo_asked": False}
        tx.execute(update(payments).where(payments.c.session == clerk).values(back))
        tx.execute(delete(calls).where(calls.c.clerk == clerk, calls.c.kind == "void"))
        tx.execute(delete(book).where(book.c.payment == reference, book.c.kind == "void"))


def keep_order(databases: Databases, clerk: str) -> None:
    whose = {"session": clerk, "secret_sha256": "0" * 64, "customer": "ada", "currency": "EUR", "shop_type": "physical"}
    line = {"session": clerk, "line": 1, "sku": SKU, "name": "Squeaky bone", "quantity": 1, "unit_amount": 1295}
    with databases["shop"].begin() as tx:
        tx.insert(shop_store.carts, [whose])
        tx.insert(shop_store.orders, [{**whose, "total": 1295, "placed_at": 1, "expires_at": None}])
        tx.insert(shop_store.order_items, [line])


def never_wake(databases: Databases, clerk: str) -> None:
    with databases["shop_manager"].begin() as tx:
        tx.execute(update(clerks).where(clerks.c.id == clerk).values(wake_at=None))


def never_ask_again(databases: Databases, clerk: str) -> None:
    """The question got lost, and so did the timer by which it would be asked again."""
    with databases["shop_manager"].begin() as tx:
        state = orjson.loads(tx.execute(select(clerks.c.state).where(clerks.c.id == clerk)).scalar_one())
        changed = {"state": orjson.dumps({**state, "resend": None}).decode(), "wake_at": state["expires_at"]}
        tx.execute(update(clerks).where(clerks.c.id == clerk).values(changed))


def list_wrongly(databases: Databases, clerk: str) -> None:
    with databases["shop_manager"].begin() as tx:
        tx.execute(update(clerks).where(clerks.c.id == clerk).values(status="completed", customer="bob"))


def keep_parked_secret(databases: Databases, clerk: str) -> None:
    """A service has parked a message, and its notice got lost."""
    bad = ParkedMessage("risk", "risk.commands.v1", "it is no JSON", None, b"nonsense")
    with databases["risk"].begin() as tx:
        park(tx, risk_store.technical.parked, [bad], tx.now() - LONG_AGO)


DAMAGES = (
    Damage("leaked credit", "failed", frozenset({"I5"}), "ReleaseCredit", leak_credit),
    Damage("leaked credit of a completed order", "completed", frozenset({"I5"}), "ReleaseCredit", leak_credit),
    Damage("lost release", "failed", frozenset({"I5", "I10"}), "ReleaseCredit", forget_release),
    Damage("unreleased stock", "failed", frozenset({"I4", "I14"}), "ReleaseStock", keep_stock),
    Damage("forgotten void", "failed", frozenset({"I3", "I14"}), "VoidPayment", forget_void),
    Damage("forgotten order", "failed", frozenset({"I6"}), "CancelOrder", keep_order),
    Damage("lost deadline", "live", frozenset({"I12"}), "ask the outstanding question", never_wake),
    Damage("lost question", "live", frozenset({"I1"}), "ask the outstanding question", never_ask_again),
    Damage("wrong list", "failed", frozenset({"I18"}), "list the Clerk anew", list_wrongly),
)
UNTOLD = Damage("untold parked message", "none", frozenset({"I8"}), "tell ShopManager", keep_parked_secret)
