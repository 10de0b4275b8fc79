"""The seven steps of `business`, for many orders at once: a statement a table, whatever the number of orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg2.extras import execute_values

from benchmarks.baselines.business import PRICE, Document

Documents = Sequence[Document]
Orders = Sequence[str]
ALL = 9999


def insert(cursor: Any, table: str, rows: Sequence[Sequence[Any]]) -> None:
    execute_values(cursor, f"INSERT INTO {table} VALUES %s", rows, page_size=ALL)  # noqa: S608  # our own names


def trail(cursor: Any, what: str, documents: Documents, orders: Orders, now: int) -> None:
    rows = [(order, now, what, document["order"]["total"]) for order, document in zip(orders, documents, strict=True)]
    execute_values(cursor, "INSERT INTO payment_trail (id, at, what, amount) VALUES %s", rows, page_size=ALL)


def pieces(documents: Documents) -> list[tuple[str, int]]:
    """Article and quantity, of all orders together, in an order that prevents deadlocks."""
    count: Counter[str] = Counter()
    for document in documents:
        for line in document["order"]["items"]:
            count[line["sku"]] += line["quantity"]
    return sorted(count.items())


def shopping(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    for document in documents:
        wanted = document["clerk"]["brought"]["items"]
        lines = [{**line, "name": "Bone", "unit_amount": PRICE, "total": PRICE * line["quantity"]} for line in wanted]
        document["order"] = {"status": "placed", "items": lines, "total": sum(line["total"] for line in lines)}
    rows = [(order, "EUR", each["order"]["total"], now) for order, each in zip(orders, documents, strict=True)]
    insert(cursor, "orders", rows)
    items = [
        (order, number, line["sku"], line["name"], line["quantity"], line["unit_amount"])
        for order, document in zip(orders, documents, strict=True)
        for number, line in enumerate(document["order"]["items"])
    ]
    insert(cursor, "order_items", items)


def credit(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    for document in documents:
        document["credit"] = {"status": "reserved", "amount": document["order"]["total"]}
    rows = [(order, each["credit"]["amount"], "reserved") for order, each in zip(orders, documents, strict=True)]
    insert(cursor, "credits", rows)


def payment(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    rows = []
    for order, document in zip(orders, documents, strict=True):
        amount, card = document["order"]["total"], {"brand": "visa", "last4": "4242"}
        reference = f"pay_{order}"
        document["payment"] = {"status": "authorized", "amount": amount, "reference": reference, "card": card}
        rows.append((order, reference, "authorized", amount, "visa", "4242", now))
    insert(cursor, "payments", rows)
    trail(cursor, "authorized", documents, orders, now)


def stock(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    for sku, quantity in pieces(documents):
        cursor.execute(
            "UPDATE stock SET reserved = reserved + %(q)s, on_hand = on_hand - %(q)s WHERE sku = %(sku)s "
            "AND on_hand >= %(q)s RETURNING on_hand",
            {"sku": sku, "q": quantity},
        )
        if cursor.fetchone() is None:
            raise RuntimeError(f"out of stock: {sku}")
    items = [
        (order, number, line["sku"], line["name"], line["quantity"])
        for order, document in zip(orders, documents, strict=True)
        for number, line in enumerate(document["order"]["items"])
    ]
    insert(cursor, "shipment_items", items)
    insert(cursor, "shipments", [(order, "reserved", None, None, None) for order in orders])
    for document in documents:
        document["shipment"] = {"status": "reserved"}


def capture(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    cursor.execute("UPDATE payments SET status = 'captured', updated_at = %s WHERE id = ANY(%s)", (now, list(orders)))
    trail(cursor, "captured", documents, orders, now)
    for document in documents:
        document["payment"]["status"] = "captured"


def shipping(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    rows = []
    for order, document in zip(orders, documents, strict=True):
        label = {"carrier": "Auto Dog Sled", "tracking": f"SLED-{order[-12:].upper()}", "shipped_at": now}
        document["shipment"] = {"status": "shipped", **label}
        rows.append((order, *label.values()))
    execute_values(
        cursor,
        "UPDATE shipments SET status = 'shipped', carrier = v.carrier, tracking = v.tracking, "
        "shipped_at = v.shipped_at FROM (VALUES %s) v (id, carrier, tracking, shipped_at) WHERE shipments.id = v.id",
        rows,
        page_size=ALL,
    )
    for sku, quantity in pieces(documents):
        cursor.execute(
            "UPDATE stock SET reserved = reserved - %(q)s, shipped = shipped + %(q)s WHERE sku = %(sku)s",
            {"sku": sku, "q": quantity},
        )


def settle(cursor: Any, documents: Documents, orders: Orders, now: int) -> None:
    cursor.execute("DELETE FROM credits WHERE id = ANY(%s)", (list(orders),))
    rows = [(order, each["credit"]["amount"], "paid") for order, each in zip(orders, documents, strict=True)]
    insert(cursor, "settlements", rows)
    for document in documents:
        document["credit"]["status"] = "settled"


MANY_ACTS: Mapping[str, Callable[[Any, Documents, Orders, int], None]] = {
    "shopping": shopping,
    "credit": credit,
    "payment": payment,
    "stock": stock,
    "capture": capture,
    "shipping": shipping,
    "settle": settle,
}
