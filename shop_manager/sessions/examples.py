"""Examples of bodies and answers, for the OpenAPI document: one session that waits for its customer's payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ID = "clk_0193k2v8p4q7"
ADDRESS = {"line1": "1 Harbour Street", "postal_code": "22201", "city": "Arlington", "region": "VA", "country": "US"}
WISHED = {"sku": "SQUEAKY-BONE", "quantity": 2}
LINE = {**WISHED, "name": "Squeaky bone", "unit_amount": 1295, "total": 2590, "kind": "physical"}
SESSION: Mapping[str, Any] = {
    "id": ID,
    "object": "shop.session",
    "version": 7,
    "status": "requires_action",
    "payment_status": "none",
    "last_payment_error": None,
    "fulfillment_status": "none",
    "process": "standard/1",
    "shop": "squeaky-toys",
    "currency": "EUR",
    "created_at": "2026-11-23T14:20:50.000Z",
    "updated_at": "2026-11-23T14:20:53.000Z",
    "expires_at": "2026-11-23T14:50:50.000Z",
    "client_reference": "order-1001",
    "customer": {"name": "Ada", "email": "ada@example.org"},
    "shipping_address": ADDRESS,
    "items": [LINE],
    "total": 2590,
    "progress": [
        {"step": "shopping", "state": "done", "at": "2026-11-23T14:20:51.000Z"},
        {"step": "credit", "state": "done", "at": "2026-11-23T14:20:52.000Z"},
        {"step": "payment", "state": "waiting", "at": "2026-11-23T14:20:53.000Z"},
        *({"step": step, "state": "to_do"} for step in ("stock", "capture", "shipping", "settle")),
    ],
    "next_action": {"type": "pay", "href": f"/payment/{ID}", "expires_at": "2026-11-23T14:35:53.000Z"},
    "failure": None,
    "messages": [],
    "metadata": {"gift": True},
    "links": {
        "self": f"/shop/session/{ID}",
        "cancel": f"/shop/session/{ID}/cancel",
        "amend": f"/shop/session/{ID}",
        "events": f"/shop/session/{ID}/events",
        "payment": f"/payment/{ID}",
    },
}
OPENED = {**SESSION, "client_secret": "cs_0193k2v8p4q7"}
TICKET = {
    "ticket": "et_2r9cXUEDV7p0bM0t0vQ3kBqN5oYw1hZ8JmTfL6aGsKd",
    "href": f"/shop/session/{ID}/events?ticket=et_2r9cXUEDV7p0bM0t0vQ3kBqN5oYw1hZ8JmTfL6aGsKd",
    "expires_at": "2026-11-23T14:21:53.000Z",
}
CLERK = {
    "clerk": {"id": ID, "shop": "squeaky-toys", "currency": "EUR", "client_reference": "order-1001"},
    "customer": {"id": "ada", "type": "regular", "name": "Ada", "shipping_address": ADDRESS},
    "order": {"status": "placed", "items": [LINE], "total": 2590},
    "credit": {"status": "reserved", "amount": 2590},
    "metadata": {"gift": True},
}
CUSTOMER = {"name": "Ada", "email": "ada@example.org", "type": "regular"}
SHOP = {"name": "Squeaky Toys", "type": "physical", "allows_invoice": False, "currency": "EUR"}
OPENING = {
    "items": [WISHED],
    "expected_total": 2590,
    "name": "Ada",
    "email": "ada@example.org",
    "shipping_address": ADDRESS,
    "client_reference": "order-1001",
    "metadata": {"gift": True},
}
AMENDING = {"name": "Ada", "shipping_address": {"line1": "3 Harbour Street", "line2": None}}
