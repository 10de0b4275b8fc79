"""The same again: a client that has lost the answer, a form that is sent twice, two windows of one customer."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Room
from scenario_tests.reported_faults.money_cases import authorised
from scenario_tests.reported_faults.place import JSON, Place, short
from scenario_tests.reported_faults.two_at_once import at_once
from scenario_tests.shop import StockLevel
from scenario_tests.waiting import until

RETRIES = Room()


def opens(place: Place, key: str, body: Any, *, as_bytes: bytes | None = None) -> Any:
    """The answer to opening a session under this Idempotency-Key."""
    content = json.dumps(body).encode() if as_bytes is None else as_bytes
    return place.heard("POST", "/shop/session", place.bearer, JSON, f"Idempotency-Key: {key}", body=content)


def opened(place: Place) -> int:
    """How many sessions there are under this case's own reference."""
    return len(place.ask("GET", f"/shop/session?client_reference={place.shop.suffix}").json()["data"])


def mine(place: Place, **more: Any) -> dict[str, Any]:
    return {"client_reference": place.shop.suffix, **more}


# --- keys -------------------------------------------------------------------------------------------------------------


@RETRIES.case(600, "a lost answer is given again", "console 3449 of akash, stripe-java 389", ("201", "true", 1))
def lost_answer(place: Place) -> object:
    key, body = str(uuid4()), json.dumps(mine(place)).encode()
    with place.wire() as wire:
        wire.asks("POST", "/shop/session", place.bearer, JSON, f"Idempotency-Key: {key}", body=body).loses_the_answer()
    again = opens(place, key, mine(place))
    assert again.json["client_secret"].startswith("cs_")
    return again.short, again.headers["idempotent-replayed"], opened(place)


@RETRIES.case(
    601,
    "ten at one moment under one key make one",
    "APIS 193, stripe ai 402",
    ({"201", "409 idempotency_in_flight"}, 1),
)
def ten_at_once(place: Place) -> object:
    key = str(uuid4())
    answers = at_once(*[lambda: opens(place, key, mine(place)).short] * 10)
    return set(answers) | {"409 idempotency_in_flight"}, opened(place)


@RETRIES.case(
    602, "a key is for one request", "grape-idempotency 13, novu 4531", ("201", "422 idempotency_conflict", 1)
)
def other_request(place: Place) -> object:
    key = str(uuid4())
    first, second = opens(place, key, mine(place)), opens(place, key, mine(place, expires_in=60))
    return first.short, second.short, opened(place)


@RETRIES.case(603, "spaces and the order of fields make no other request", "adyen-commercetools 1305", ("201", 1))
def other_spelling(place: Place) -> object:
    key = str(uuid4())
    opens(place, key, mine(place, expires_in=60))
    spelled = f'{{ "expires_in" : 60,\n "client_reference":"{place.shop.suffix}" }}'.encode()
    return opens(place, key, None, as_bytes=spelled).short, opened(place)


@RETRIES.case(
    604, "what failed is not kept: mended, the key serves", "trigger.dev 4953", ("404 customer_unknown", "201", 1)
)
def failed_before(place: Place) -> object:
    key, body = str(uuid4()), mine(place, customer=place.name("ada"))
    first = opens(place, key, body).short
    place.ask("PUT", f"/shop/customers/{place.name('ada')}", {"name": "Ada"})
    return first, opens(place, key, body).short, opened(place)


@RETRIES.case(
    605,
    "a key that others can guess is refused to whoever has no key",
    "square-mcp-server 31",
    "422 weak_idempotency_key",
)
def guessed(place: Place) -> object:
    return place.heard("POST", "/shop/session", JSON, "Idempotency-Key: order-1", body=b"{}").short


# --- two windows ------------------------------------------------------------------------------------------------------


@RETRIES.case(
    620,
    "two windows put the same article: one line, the one or the other",
    "nopCommerce 5131",
    (["200", "200"], 1, True),
)
def same_article(place: Place) -> object:
    place.shop.stocks("BONE", 9)
    order = place.opens()
    path = f"/shop/carts/{order.id}/items/{place.shop.sku('BONE')}"
    answers = at_once(*[lambda n=n: place.short("PUT", path, {"quantity": n}) for n in (2, 3)])
    items = place.ask("GET", f"/shop/carts/{order.id}").json()["items"]
    return answers, len(items), items[0]["quantity"] in (2, 3)


@RETRIES.case(621, "two windows order: one order", "dshop 573, nopCommerce 5131", ([None, None], 1))
def same_order(place: Place) -> object:
    place.shop.stocks("BONE", 9)
    order = place.opens().fills_cart({"BONE": 1})
    tried = at_once(order.tries_to_order, order.tries_to_order)
    order.waits_for("pay")
    return tried, sum(line["step"] == "shopping" and line["what"] == "done" for line in order.timeline())


@RETRIES.case(
    622,
    "two windows pay with two cards: one is charged, and no other is taken as if it were tried",
    "woocommerce-payments 5678, mollie/WooCommerce 1204",
    (True, [1295]),
)
def same_payment(place: Place) -> object:
    order = place.session_with_bones()
    tried = at_once(lambda: order.tries_to_pay("tok_ok"), lambda: order.tries_to_pay("tok_lost"))
    order.is_at("shipping", "waiting")
    told = None in tried and {*tried} <= {None, (409, "payment_in_flight")}
    return told, authorised(place, order)


@RETRIES.case(623, "one window pays, the other calls it off: one of both", "CoreShop 2529, ai-shifu 2850", True)
def paid_and_cancelled(place: Place) -> object:
    order = place.session_with_bones()
    paid, cancelled = at_once(lambda: order.tries_to_pay("tok_ok"), order.tries_to_cancel)
    if cancelled is not None:
        return (paid, cancelled) == (None, (409, "past_the_pivot"))
    order.becomes("canceled")
    return paid in (None, (409, "session_ended")) and place.shop.stock_of("BONE") == StockLevel(100, 0, 0)


@RETRIES.case(624, "two windows call it off: it is called off once", "nopCommerce 388", ([None, None], 1))
def cancelled_twice(place: Place) -> object:
    order = place.session_with_bones()
    tried = at_once(order.tries_to_cancel, order.tries_to_cancel)
    order.becomes("canceled")
    return tried, sum(line["step"] == "shopping" and line["what"] == "undone" for line in order.timeline())


@RETRIES.case(
    625, "one window fills the cart, the other orders it: what is ordered is what is paid", "razorpay-magento 219", True
)
def filled_and_ordered(place: Place) -> object:
    place.shop.stocks("BONE", 9)
    order = place.opens().fills_cart({"BONE": 1})
    path = f"/shop/carts/{order.id}/items/{place.shop.sku('BONE')}"
    put, tried = at_once(lambda: place.short("PUT", path, {"quantity": 3}), lambda: str(order.tries_to_order()))
    order.pays()
    wanted = 3 * 1295 if put == "200" else 1295
    return tried == "None" and order.session()["total"] == order.payment()["amount"] == wanted


@RETRIES.case(
    626,
    "the last piece, wanted by five, is sold once",
    "django-shop 888, nopCommerce 4184",
    (1, 4, StockLevel(0, 1, 0)),
)
def last_piece(place: Place) -> object:
    place.shop.stocks("BONE", 1)
    orders = at_once(*[lambda: place.shop.guest(token="tok_ok").orders({"BONE": 1})] * 5)
    ends = [ended_or_shipping(order) for order in orders]
    return ends.count("shipping"), ends.count("out_of_stock"), place.shop.stock_of("BONE")


def ended_or_shipping(order: OrderUnderTest) -> str:
    """Why it has failed, or `shipping`."""
    seen: dict[str, Any] = {}

    def is_decided() -> bool:
        seen.update(order.session())
        steps = {each["step"]: each["state"] for each in seen["progress"]}
        return bool(seen["status"] == "failed" or steps["shipping"] == "waiting")

    until(is_decided, "the order gets its goods, or not")
    return str(seen["failure"]["code"]) if seen["failure"] else "shipping"


@RETRIES.case(627, "thirty writes at one moment are all done", "phoenix 3949, flapi 116", {"200"})
def many_writes(place: Place) -> object:
    def write(number: int) -> str:
        path = f"/risk/customers/{place.name('ada')}-{number % 3}"
        return short(place.ask("PUT", path, {"limit": number}))

    return set(at_once(*[lambda n=n: write(n) for n in range(30)]))


@RETRIES.case(
    628,
    "two windows change the address: one, and the other hears of it",
    "chroncal 237",
    ["200", "412 version_conflict"],
)
def amended_twice(place: Place) -> object:
    order = place.opens()
    seen = {"If-Match": f'"{order.session()["version"]}"'}

    def amends(name: str) -> str:
        return place.short("PATCH", f"/shop/session/{order.id}", {"name": name}, headers=seen)

    return sorted(at_once(lambda: amends("Ada"), lambda: amends("Eve")))
