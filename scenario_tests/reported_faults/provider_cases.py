"""What a payment provider sends by itself: twice, late, too early, for another amount, or not the provider at all."""

from __future__ import annotations

import json
import time
from threading import Thread
from typing import Any

from payment_service.provider_webhooks import sign
from scenario_tests.harness import PROVIDER_SECRET
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Act, Room
from scenario_tests.reported_faults.place import JSON, Place
from scenario_tests.waiting import until

PROVIDER = Room()
PATH = "/payment/provider-events"


def event(order: OrderUnderTest, kind: str, number: int, what: str, name: str, **more: Any) -> bytes:
    """An event about a call of this order; `name` makes its id one of its own."""
    about = {"type": f"payment.{what}", "key": f"{order.id}/payment/{kind}/{number}"}
    return json.dumps({"id": f"evt_{name}_{order.id}", **about, **more}).encode()


def tells(place: Place, body: bytes, late: float = 0, secret: str = PROVIDER_SECRET) -> str:
    """The short answer to an event that was signed so many seconds ago."""
    return place.heard("POST", PATH, JSON, signature_of(body, late, secret), body=body).short


def signature_of(body: bytes, late: float = 0, secret: str = PROVIDER_SECRET) -> str:
    """The header's line, as the provider made it so many seconds ago."""
    return f"Provider-Signature: {sign(secret, body, time.time_ns() // 1_000_000 - round(late * 1000))}"


def paid(place: Place) -> OrderUnderTest:
    """An order whose money is taken; it waits for the warehouse."""
    return place.session_with_bones().pays().is_at("shipping", "waiting")


def signed(late: float, secret: str = PROVIDER_SECRET) -> Act:
    return lambda place: tells(place, event(place.opens(), "authorize", 1, "authorized", "a"), late, secret)


PROVIDER.row(500, "an event of a quarter of an hour ago is refused", "flipper 1022", signed(900), "401 unauthorized")
PROVIDER.row(
    501, "an event of the future is refused", "stripe-php 657, stripe-dotnet 1183", signed(-900), "401 unauthorized"
)
PROVIDER.row(502, "clocks may be a few minutes apart", "svix 93, http-message-signatures 11", signed(-200), "200")
PROVIDER.row(503, "nobody else can sign", "camunda connectors 8989", signed(0, "guessed"), "401 unauthorized")


@PROVIDER.case(504, "what was signed are the bytes, not what they mean", "hai-agents-python 94", "401 unauthorized")
def other_bytes(place: Place) -> object:
    body = event(place.opens(), "authorize", 1, "authorized", "a")
    return place.heard("POST", PATH, JSON, signature_of(body), body=body.replace(b": ", b":")).short


@PROVIDER.case(
    510, "an event that comes twice counts once", "hiero-bot-py 75, shopper 582", ("200", "200", "captured", 1)
)
def twice(place: Place) -> object:
    order = paid(place)
    told = [tells(place, event(order, "capture", 2, "captured", "a")) for _ in range(2)]
    return *told, order.payment()["status"], lines(order, "capture done")


@PROVIDER.case(
    511, "an old event changes nothing that came after it", "incacook-app 21, hiero-bot-py 75", ("200", "captured")
)
def late(place: Place) -> object:
    order = paid(place)
    return tells(place, event(order, "authorize", 1, "authorized", "late")), order.payment()["status"]


@PROVIDER.case(512, "a no after the yes changes nothing", "solidus_stripe 189", ("200", "captured"))
def contradicts(place: Place) -> object:
    order = paid(place)
    return tells(place, event(order, "authorize", 1, "declined", "no")), order.payment()["status"]


@PROVIDER.case(
    513, "an event about what was never asked changes nothing", "stripe_event 75, stripe-cli 418", ("200", "waiting")
)
def too_early(place: Place) -> object:
    order = place.session_with_bones()
    return tells(place, event(order, "capture", 2, "captured", "early")), order.payment()["status"]


@PROVIDER.case(514, "an event of another kind than its call changes nothing", "hiero-bot-py 75", ("200", "waiting"))
def wrong_kind(place: Place) -> object:
    order = place.session_with_bones()
    return tells(place, event(order, "authorize", 1, "captured", "kind")), order.payment()["status"]


@PROVIDER.case(
    515, "a yes to a part of the money is none", "adyen-salesforce-commerce-cloud 441", ("200", "authorizing")
)
def partly(place: Place) -> object:
    order = place.session_with_bones()
    with_slow_card(order)
    until(lambda: order.payment()["status"] == "authorizing", "the provider is asked")
    answer = tells(place, event(order, "authorize", 1, "authorized", "part", amount=1))
    status = order.payment()["status"]
    order.cancels()
    return answer, status


def with_slow_card(order: OrderUnderTest) -> None:
    """The customer pays with a card whose answer takes three seconds, and we do not wait for it."""
    Thread(target=lambda: order.tries_to_pay("tok_slow"), daemon=True).start()


def lines(order: OrderUnderTest, wanted: str) -> int:
    return sum(f"{line['step']} {line['what']}" == wanted for line in order.timeline())
