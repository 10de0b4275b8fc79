"""The order that every baseline plays: seven steps, the same 2 KB document and business rows as this product's own.

It knows no library, so that each baseline runs it over whatever its authors recommend. `Execute` sends one statement
with `%(name)s` parameters (or many, of a list) and returns the rows, if any. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Document = dict[str, Any]
Execute = Callable[[str, Mapping[str, Any]], Sequence[Any]]
SKU, PRICE, MUCH = "BENCH-BONE", 1295, 1_000_000_000

STEPS: Sequence[tuple[str, str]] = (
    ("shopping", "shop"),
    ("credit", "risk"),
    ("payment", "payment"),
    ("stock", "fulfillment"),
    ("capture", "payment"),
    ("shipping", "fulfillment"),
    ("settle", "risk"),
)
"""Step and the service that does it, in this order."""
SERVICES = ("shop", "risk", "payment", "fulfillment")
TABLES: Mapping[str, Sequence[str]] = {
    "shop": (
        "CREATE TABLE orders (id varchar(64) PRIMARY KEY, currency varchar(3), total bigint, placed_at bigint)",
        "CREATE TABLE order_items (id varchar(64), line integer, sku varchar(64), name varchar(200), "
        "quantity integer, unit_amount bigint, PRIMARY KEY (id, line))",
    ),
    "risk": (
        "CREATE TABLE credits (id varchar(64) PRIMARY KEY, amount bigint, status varchar(16))",
        "CREATE TABLE settlements (id varchar(64) PRIMARY KEY, amount bigint, lesson varchar(8))",
    ),
    "payment": (
        "CREATE TABLE payments (id varchar(64) PRIMARY KEY, reference varchar(140), status varchar(16), amount bigint, "
        "brand varchar(32), last4 varchar(4), updated_at bigint)",
        "CREATE TABLE payment_trail (number bigserial PRIMARY KEY, id varchar(64), at bigint, what varchar(32), "
        "amount bigint)",
        "CREATE INDEX payment_trail_id ON payment_trail (id)",
    ),
    "fulfillment": (
        "CREATE TABLE stock (sku varchar(64) PRIMARY KEY, on_hand bigint, reserved bigint, shipped bigint)",
        "CREATE TABLE shipments (id varchar(64) PRIMARY KEY, status varchar(16), carrier varchar(100), "
        "tracking varchar(200), shipped_at bigint)",
        "CREATE TABLE shipment_items (id varchar(64), line integer, sku varchar(64), name varchar(200), "
        "quantity integer, PRIMARY KEY (id, line))",
        f"INSERT INTO stock VALUES ('{SKU}', {MUCH}, 0, 0)",  # noqa: S608  # our own constants
    ),
}
SAGAS = (
    "CREATE TABLE sagas (id varchar(64) PRIMARY KEY, status varchar(16) NOT NULL, step varchar(16), "
    "document text NOT NULL, opened_at bigint NOT NULL, ended_at bigint)",
    "CREATE INDEX sagas_under_way ON sagas (opened_at) WHERE ended_at IS NULL",
)
"""The orchestrator's own table, of the baselines that have to write one themselves."""


def new_document(order: str, now: int) -> Document:
    """What an order begins with; with all that the steps add it comes to about 2 KB."""
    return {
        "clerk": {
            "id": order,
            "process": "standard/1",
            "digest": "d991308ab0493f81",
            "shop": "squeaky-toys",
            "shop_type": "physical",
            "currency": "EUR",
            "created_at": now,
            "expires_at": now + 1_800_000,
            "secret_sha256": "ba07818d3b92cc95ed4fd8d0425c5348902a0766e7338012e7da0f32f2efcbba",
            "client_reference": None,
            "brought": {"items": [{"sku": SKU, "quantity": 1}], "payment": {"token": "tok_ok"}},
        },
        "customer": {"id": None, "type": "guest", "name": None, "email": None, "shipping_address": {}},
        "metadata": {"note": "x" * 600},
    }


def do_step(execute: Execute, step: str, document: Document, now: int) -> Document:
    """Do the business of one step, in the transaction of `execute`; returns the document with that step's section."""
    return ACTS[step](execute, document, document["clerk"]["id"], now)


def shopping(execute: Execute, document: Document, order: str, now: int) -> Document:
    wanted = document["clerk"]["brought"]["items"]
    lines = [{**line, "name": "Bone", "unit_amount": PRICE, "total": PRICE * line["quantity"]} for line in wanted]
    total = sum(line["total"] for line in lines)
    execute("INSERT INTO orders VALUES (%(id)s, 'EUR', %(total)s, %(now)s)", {"id": order, "total": total, "now": now})
    for number, line in enumerate(lines):
        values = {"id": order, "line": number, **line}
        execute(
            "INSERT INTO order_items VALUES (%(id)s, %(line)s, %(sku)s, %(name)s, %(quantity)s, %(unit_amount)s)",
            values,
        )
    return {**document, "order": {"status": "placed", "items": lines, "total": total}}


def credit(execute: Execute, document: Document, order: str, now: int) -> Document:
    amount = document["order"]["total"]
    execute("INSERT INTO credits VALUES (%(id)s, %(amount)s, 'reserved')", {"id": order, "amount": amount})
    return {**document, "credit": {"status": "reserved", "amount": amount}}


def payment(execute: Execute, document: Document, order: str, now: int) -> Document:
    values = {"id": order, "reference": f"pay_{order}", "amount": document["order"]["total"], "now": now}
    execute(
        "INSERT INTO payments VALUES (%(id)s, %(reference)s, 'authorized', %(amount)s, 'visa', '4242', %(now)s)",
        values,
    )
    execute(
        "INSERT INTO payment_trail (id, at, what, amount) VALUES (%(id)s, %(now)s, 'authorized', %(amount)s)", values
    )
    card = {"brand": "visa", "last4": "4242"}
    section = {"status": "authorized", "amount": values["amount"], "reference": values["reference"], "card": card}
    return {**document, "payment": section}


def stock(execute: Execute, document: Document, order: str, now: int) -> Document:
    for number, line in enumerate(document["order"]["items"]):
        found = execute(
            "UPDATE stock SET reserved = reserved + %(quantity)s, on_hand = on_hand - %(quantity)s "
            "WHERE sku = %(sku)s AND on_hand >= %(quantity)s RETURNING on_hand",
            line,
        )
        if not found:
            raise RuntimeError(f"out of stock: {line['sku']}")
        execute(
            "INSERT INTO shipment_items VALUES (%(id)s, %(line)s, %(sku)s, %(name)s, %(quantity)s)",
            {"id": order, "line": number, **line},
        )
    execute("INSERT INTO shipments VALUES (%(id)s, 'reserved', NULL, NULL, NULL)", {"id": order})
    return {**document, "shipment": {"status": "reserved"}}


def capture(execute: Execute, document: Document, order: str, now: int) -> Document:
    values = {"id": order, "amount": document["payment"]["amount"], "now": now}
    execute("UPDATE payments SET status = 'captured', updated_at = %(now)s WHERE id = %(id)s", values)
    execute("INSERT INTO payment_trail (id, at, what, amount) VALUES (%(id)s, %(now)s, 'captured', %(amount)s)", values)
    return {**document, "payment": {**document["payment"], "status": "captured"}}


def shipping(execute: Execute, document: Document, order: str, now: int) -> Document:
    label = {"carrier": "Auto Dog Sled", "tracking": f"SLED-{order[-12:].upper()}", "shipped_at": now}
    execute(
        "UPDATE shipments SET status = 'shipped', carrier = %(carrier)s, tracking = %(tracking)s, "
        "shipped_at = %(shipped_at)s WHERE id = %(id)s",
        {"id": order, **label},
    )
    for line in document["order"]["items"]:
        execute(
            "UPDATE stock SET reserved = reserved - %(quantity)s, shipped = shipped + %(quantity)s WHERE sku = %(sku)s",
            line,
        )
    return {**document, "shipment": {"status": "shipped", **label}}


def settle(execute: Execute, document: Document, order: str, now: int) -> Document:
    amount = document["credit"]["amount"]
    execute("DELETE FROM credits WHERE id = %(id)s", {"id": order})
    execute("INSERT INTO settlements VALUES (%(id)s, %(amount)s, 'paid')", {"id": order, "amount": amount})
    return {**document, "credit": {"status": "settled", "amount": amount}}


ACTS: Mapping[str, Callable[[Execute, Document, str, int], Document]] = {
    "shopping": shopping,
    "credit": credit,
    "payment": payment,
    "stock": stock,
    "capture": capture,
    "shipping": shipping,
    "settle": settle,
}


def next_step(step: str) -> str | None:
    """The step after this one; None after the last."""
    names = [name for name, _ in STEPS]
    after = names[names.index(step) + 1 :]
    return after[0] if after else None
