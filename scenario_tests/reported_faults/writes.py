"""Every route that writes, and what it answers a client that has lost the first answer and sends the same again.

Reported of many: a charge, an order or a message that happens twice after a time-out (akash console 3449,
square-mcp-server 31, stripe ai 402, nextcloud mail 13421). Here the effect is there once; where a retry makes another
of something, the row says so, and why that does no harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from scenario_tests.bad_messages import parked_id
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.money_cases import authorised
from scenario_tests.reported_faults.place import Place
from scenario_tests.reported_faults.provider_cases import event, lines, paid, signature_of
from scenario_tests.waiting import until

BECAUSE = {"reason": "asked by a test"}
GONE = 404
LINK = "https://wiki.example/capture"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent twice. `count`: how often its effect is there."""

    path: str
    body: Any
    count: Callable[[], int]
    headers: tuple[str, ...] = ()
    key: str | None = None
    """None: the backend's."""


@dataclass(frozen=True, slots=True)
class Write:
    """A route of the OpenAPI documents. `again`: what may be answered the second time; `effects`: what both leave."""

    route: str
    prepare: Callable[[Place], Request]
    first: str
    again: tuple[str, ...]
    effects: int = 1


def opening(place: Place) -> Request:
    reference = place.shop.suffix
    path = f"/shop/session?client_reference={reference}"
    headers = (f"Idempotency-Key: {uuid4()}",)
    return Request("/shop/session", {"client_reference": reference}, lambda: rows(place, path), headers)


def cancelling(place: Place) -> Request:
    order = place.session_with_bones()
    return Request(f"/shop/session/{order.id}/cancel", None, lambda: turned_around(order))


def expiring(place: Place) -> Request:
    order = place.session_with_bones()
    return Request(f"/shop/session/{order.id}/expire", None, lambda: turned_around(order))


def turned_around(order: OrderUnderTest) -> int:
    return sum(line["what"] == "turned_around" for line in order.timeline())


def amending(place: Place) -> Request:
    order = place.opens()
    path = f"/shop/session/{order.id}"
    seen = f'If-Match: "{order.session()["version"]}"'
    return Request(path, {"name": "Ada"}, lambda: order.session()["customer"]["name"] == "Ada", (seen,))


def ticket(place: Place) -> Request:
    order = place.opens()
    return Request(f"/shop/session/{order.id}/events/ticket", None, lambda: lines_what(order, "asked"))


def customer(place: Place) -> Request:
    path = f"/shop/customers/{place.name('ada')}"
    return Request(path, {"name": "Ada"}, lambda: place.ask("GET", path).json()["name"] == "Ada")


def branch(place: Place) -> Request:
    path = f"/shop/shops/{place.name('branch')}"
    return Request(path, {"name": "Toys", "type": "physical"}, lambda: place.ask("GET", path).json()["name"] == "Toys")


def product(place: Place) -> Request:
    body = {"name": "Bone", "unit_amount": 1, "currency": "EUR", "kind": "physical"}
    sku = place.name("BONE")
    return Request(f"/shop/products/{sku}", body, lambda: place.ask("GET", f"/shop/products/{sku}").status_code > 0)


def cart_item(place: Place) -> Request:
    place.shop.stocks("BONE", 9)
    order = place.opens()
    path = f"/shop/carts/{order.id}/items/{place.shop.sku('BONE')}"
    return Request(path, {"quantity": 1}, lambda: len(place.ask("GET", f"/shop/carts/{order.id}").json()["items"]))


def placing(place: Place) -> Request:
    place.shop.stocks("BONE", 9)
    order = place.opens().fills_cart({"BONE": 1})

    def placed() -> int:
        order.waits_for("pay")
        return lines(order, "shopping done")

    return Request(f"/shop/carts/{order.id}/order", None, placed)


def credit_limit(place: Place) -> Request:
    path = f"/risk/customers/{place.name('ada')}"
    return Request(path, {"limit": 7}, lambda: place.ask("GET", path).json()["limit"] == 7)


def paying(place: Place) -> Request:
    order = place.session_with_bones()
    return Request(f"/payment/{order.id}", {"token": "tok_ok"}, lambda: len(authorised(place, order)))


def provider_event(place: Place) -> Request:
    order = paid(place)
    body = event(order, "capture", 2, "captured", "lost")
    return Request(
        "/payment/provider-events", body, lambda: lines(order, "capture done"), (signature_of(body),), key=""
    )


def on_hand(place: Place) -> Request:
    path = f"/fulfillment/stock/{place.name('BONE')}"
    return Request(path, {"on_hand": 5}, lambda: place.ask("GET", path).json()["on_hand"] == 5)


def adjusting(place: Place) -> Request:
    place.shop.stocks("BONE", 0)
    path = f"/fulfillment/stock/{place.shop.sku('BONE')}"
    body = {"delta": 1, "reason": "found one", "reference": place.name("delivery")}
    return Request(f"{path}/adjust", body, lambda: place.ask("GET", path).json()["on_hand"])


def shipping(place: Place) -> Request:
    order = paid(place)
    path, key = f"/fulfillment/{order.id}", place.keys.warehouse

    def shipped() -> int:
        order.becomes("completed")
        return lines(order, "shipping done")

    until(lambda: place.ask("GET", path, key=key).json()["status"] == "allocated", "the goods are allocated")
    return Request(f"{path}/ship", {"carrier": "Sled", "tracking": "1"}, shipped, key=key)


def note(place: Place) -> Request:
    order = place.session_with_bones()
    seen = f'If-Match: "{order.for_operators()["version"]}"'
    body = {"action": "note", **BECAUSE}
    path = f"/ops/clerks/{order.id}/actions"
    return Request(path, body, lambda: lines_what(order, "note"), (seen,), place.keys.operator)


def lines_what(order: OrderUnderTest, what: str) -> int:
    return sum(line["what"] == what for line in order.timeline())


def releasing(place: Place) -> Request:
    """Of an order that nobody has: nothing comes of it, as often as it is sent."""
    order = place.opens()

    def claimed() -> int:
        return int(place.ask("GET", f"/ops/clerks/{order.id}", key=place.keys.operator).json()["claim"] is not None)

    return of_operator(place, f"/ops/clerks/{order.id}/claim", {"action": "release"}, claimed)


def discarding(place: Place) -> Request:
    bad = f"nothing that we know {place.shop.suffix}".encode()
    place.shop.puts_on_queue("shop_manager", bad)
    parked = parked_id("shop_manager", bad)
    until(lambda: parked in {each["id"] for each in place.shop.parked()}, "the message is parked")
    path, key = f"/ops/parked/{parked}", place.keys.operator
    seen = f"If-Match: {place.ask('GET', path, key=key).headers['etag']}"
    body = {"action": "discard", **BECAUSE}

    def decided() -> int:
        return int(place.ask("GET", path, key=key).json()["version"] - 2)

    return Request(f"{path}/actions", body, decided, (seen,), key)


def of_operator(place: Place, path: str, body: Any, count: Callable[[], int]) -> Request:
    return Request(path, body, count, key=place.keys.operator)


def rows(place: Place, path: str, key: str | None = None) -> int:
    return len(place.ask("GET", path, key=key).json()["data"])


def bulk(place: Place) -> str:
    """A bulk act that was looked at, and takes minutes once it runs: its path."""
    body = {"action": "note", "ids": [place.opens().id for _ in range(3)], **BECAUSE}
    return f"/ops/bulk/{place.ask('POST', '/ops/bulk', body, key=place.keys.operator).json()['id']}"


def previewing(place: Place) -> Request:
    order = place.opens()
    body = {"action": "note", "ids": [order.id], **BECAUSE}
    return of_operator(place, "/ops/bulk", body, lambda: lines_what(order, "note"))


def starting(place: Place) -> Request:
    path = bulk(place)
    return of_operator(place, f"{path}/start", {"per_minute": 1}, lambda: status_of(place, path) == "running")


def stopping(place: Place) -> Request:
    path = bulk(place)
    place.ask("POST", f"{path}/start", {"per_minute": 1}, key=place.keys.operator)
    return of_operator(place, f"{path}/stop", None, lambda: status_of(place, path) == "stopped")


def status_of(place: Place, path: str) -> str:
    return str(place.ask("GET", path, key=place.keys.operator).json()["status"])


def person(place: Place) -> Request:
    name = place.name("eve")
    body = {"name": name, "role": "viewer", **BECAUSE}
    return of_operator(place, "/ops/people", body, lambda: named(place, "/ops/people", name))


def named(place: Place, path: str, name: str) -> int:
    found = place.ask("GET", path, key=place.keys.operator).json()["data"]
    return sum(each["name"] == name for each in found)


def role(place: Place) -> Request:
    name = place.name("eve")
    place.ask("POST", "/ops/people", {"name": name, "role": "viewer", **BECAUSE}, key=place.keys.operator)
    body = {"action": "role", "role": "operator", **BECAUSE}
    return of_operator(place, f"/ops/people/{name}/actions", body, lambda: named(place, "/ops/people", name))


def key(place: Place) -> Request:
    name = place.name("spare")
    body = {"scope": "warehouse", "name": name, **BECAUSE}
    return of_operator(place, "/ops/keys", body, lambda: named(place, "/ops/keys", name))


def revoking(place: Place) -> Request:
    request = key(place)
    made = place.ask("POST", "/ops/keys", request.body, key=place.keys.operator).json()["id"]
    body = {"action": "revoke", **BECAUSE}
    return of_operator(place, f"/ops/keys/{made}/actions", body, request.count)


def view(place: Place) -> Request:
    name = place.name("mine")
    return of_operator(
        place, "/ops/views", {"name": name, "query": "stuck=yes"}, lambda: named(place, "/ops/views", name)
    )


def forgetting(place: Place) -> Request:
    request = view(place)
    place.ask("POST", "/ops/views", request.body, key=place.keys.operator)
    return of_operator(place, f"/ops/views/{request.body['name']}", None, request.count)


def trying_alerts(place: Place) -> Request:
    return of_operator(place, "/ops/alerts/test", None, lambda: rows(place, "/ops/alerts", place.keys.operator))


def alert_again(place: Place) -> Request:
    path = "/ops/alerts/alt_none/again"
    return of_operator(place, path, None, lambda: rows(place, "/ops/alerts", place.keys.operator))


def runbook(place: Place) -> Request:
    code = place.name("code")
    body = {"process": "standard/1", "step": "capture", "kind": "overdue", "code": code, "link": LINK, **BECAUSE}

    def count() -> int:
        found = place.ask("GET", "/ops/runbooks", key=place.keys.operator).json()["data"]
        return sum(each["code"] == code for each in found)

    return of_operator(place, "/ops/runbooks", body, count)


def forgetting_a_person(place: Place) -> Request:
    name = place.name("eve")
    path = f"/shop/customers/{name}"
    place.ask("PUT", path, {"name": "Eve"})
    body = {"customer": name, **BECAUSE}
    return of_operator(place, "/ops/forget", body, lambda: int(place.ask("GET", path).status_code == GONE))


WRITES = (
    Write("POST /shop/session", opening, "201", ("201",)),  # under its Idempotency-Key: the same session
    Write("POST /shop/session/{session}/cancel", cancelling, "202", ("200", "202")),
    Write("POST /shop/session/{session}/expire", expiring, "202", ("200", "202")),
    Write(
        "PATCH /shop/session/{session}", amending, "200", ("412 version_conflict",)
    ),  # `current` shows that it is done
    Write("POST /shop/session/{session}/events/ticket", ticket, "201", ("201",)),  # the lost one opens a minute at most
    Write("PUT /shop/customers/{customer}", customer, "200", ("200",)),
    Write("PUT /shop/shops/{shop}", branch, "200", ("200",)),
    Write("PUT /shop/products/{sku}", product, "200", ("200",)),
    Write("PUT /shop/carts/{session}/items/{sku}", cart_item, "200", ("200",)),
    Write("POST /shop/carts/{session}/order", placing, "202", ("202",)),
    Write("PUT /risk/customers/{customer}", credit_limit, "200", ("200",)),
    Write("POST /payment/{session}", paying, "202", ("202",)),
    Write("POST /payment/provider-events", provider_event, "200", ("200",)),
    Write("PUT /fulfillment/stock/{sku}", on_hand, "200", ("200",)),
    Write("POST /fulfillment/stock/{sku}/adjust", adjusting, "200", ("200",)),
    Write("POST /fulfillment/{session}/ship", shipping, "202", ("202",)),
    Write("POST /ops/clerks/{clerk}/actions", note, "200", ("412 version_conflict",)),
    Write("POST /ops/clerks/{clerk}/claim", releasing, "200", ("200",), effects=0),
    Write("POST /ops/parked/{parked}/actions", discarding, "200", ("200",)),
    Write("POST /ops/bulk", previewing, "201", ("201",), effects=0),  # another preview: none of them does anything
    Write("POST /ops/bulk/{name}/start", starting, "200", ("200",)),
    Write("POST /ops/bulk/{name}/stop", stopping, "200", ("200",)),
    Write("POST /ops/people", person, "201", ("409 not_allowed_now",)),  # the password is lost: `renew` makes another
    Write("POST /ops/people/{name}/actions", role, "200", ("200",)),
    Write("POST /ops/keys", key, "201", ("201",), effects=2),  # the lost one opens nothing anybody has: revoke it
    Write("POST /ops/keys/{key}/actions", revoking, "200", ("200",)),
    Write("POST /ops/alerts/test", trying_alerts, "409 not_allowed_now", ("409 not_allowed_now",), effects=0),
    Write("POST /ops/alerts/{alert}/again", alert_again, "404 not_found", ("404 not_found",), effects=0),
    Write("POST /ops/runbooks", runbook, "200", ("200",)),
    Write("POST /ops/forget", forgetting_a_person, "200", ("200",)),
    Write("POST /ops/views", view, "200", ("200",)),
    Write("DELETE /ops/views/{name}", forgetting, "204", ("404 not_found",), effects=0),
)


def as_bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
