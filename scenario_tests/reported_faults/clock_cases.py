"""Clocks that jump by an hour, forth and back, in a shop of its own: what it promised holds all the same."""

from __future__ import annotations

import json
import time
from pathlib import Path
from uuid import uuid4

from payment_service.provider_webhooks import sign
from scenario_tests.api_client import ApiClient
from scenario_tests.embedded_harness import EmbeddedHarness
from scenario_tests.harness import PROVIDER_SECRET, SERVICES
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Room
from scenario_tests.reported_faults.list_cases import of_reference, walked
from scenario_tests.reported_faults.place import JSON, Place
from scenario_tests.reported_faults.provider_cases import PATH, event
from scenario_tests.shop import StockLevel

CLOCKS = Room()
HOUR = 3600.0


class ClockedHarness(EmbeddedHarness):
    """An embedded shop whose databases, and so all its services (semantics T4), have a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.off = 0.0
        """By how many seconds the clock is ahead."""
        super().__init__(folder)
        for service in SERVICES:
            self.database(service).clock = lambda: time.time_ns() // 1_000_000 + round(self.off * 1000)


class ClockedPlace(Place):
    """A place whose clock can be set."""

    def __init__(self, harness: ClockedHarness, api: ApiClient, suffix: str) -> None:
        super().__init__(harness, api, suffix)
        self.clock = harness

    def jumps(self, seconds: float) -> None:
        """The clock is so far ahead of the right time from now on."""
        self.clock.off = seconds

    def paying(self) -> OrderUnderTest:
        return self.session_with_bones(expires_in=86_400)


@CLOCKS.case(
    700, "a clock that jumps ahead calls nobody's order off", "temporal 7030, sidekiq-scheduler 283", (None, 1295)
)
def ahead(place: ClockedPlace) -> object:
    order = place.paying()
    place.jumps(HOUR)
    order.is_at("payment", "waiting")
    paid = pays_when_told(order)
    order.is_at("shipping", "waiting")
    return paid, order.payment()["amount"]


@CLOCKS.case(
    701, "a clock that jumps back holds nothing up", "schedule 323, cuba 3206, systemd 6036", (None, "completed")
)
def back(place: ClockedPlace) -> object:
    order = place.paying()
    place.jumps(-HOUR)
    paid = order.tries_to_pay("tok_ok")
    order.gets_shipped().becomes("completed")
    return paid, order.session()["status"]


@CLOCKS.case(
    702, "an order lives through a clock that goes forth and back", "FluentScheduler 305, apscheduler 351", "completed"
)
def forth_and_back(place: ClockedPlace) -> object:
    place.jumps(HOUR)
    order = place.paying()
    place.jumps(0)
    order.pays()
    place.jumps(-HOUR)
    order.gets_shipped().becomes("completed")
    return order.session()["status"]


@CLOCKS.case(703, "what was to be sent in the future is sent now", "koderea 102, nextcloud mail 13421", "completed")
def messages_of_the_future(place: ClockedPlace) -> object:
    place.shop.stocks("BONE", 100)
    with place.shop.without_broker():
        place.jumps(HOUR)
        order = place.shop.guest(token="tok_ok").orders({"BONE": 1})
        place.jumps(0)
    order.gets_shipped().becomes("completed")
    return order.session()["status"]


@CLOCKS.case(
    704,
    "what is undone while the clock jumps back is undone all the same",
    "Scheduler 22 of Bosma",
    StockLevel(100, 0, 0),
)
def undone(place: ClockedPlace) -> object:
    order = place.paying()
    place.jumps(-HOUR)
    order.cancels().becomes("canceled")
    return place.shop.stock_of("BONE")


@CLOCKS.case(710, "a key is kept for a day by the shop's clock", "stripe ai 402", (True, True, False))
def keys(place: ClockedPlace) -> object:
    key = f"Idempotency-Key: {uuid4()}"
    body = json.dumps({"client_reference": place.shop.suffix}).encode()

    def opened() -> str:
        return str(place.heard("POST", "/shop/session", place.bearer, JSON, key, body=body).json["id"])

    first, seen = opened(), []
    for off in (HOUR, -HOUR, 25 * HOUR):
        place.jumps(off)
        seen.append(opened() == first)
    return tuple(seen)


@CLOCKS.case(
    711, "pages hold each row once, whenever it says it was made", "backend.ai 14604, beacon-server 131", (6, 6)
)
def pages(place: ClockedPlace) -> object:
    for off in (0, HOUR, -HOUR) * 2:
        place.jumps(off)
        place.opens(client_reference=place.shop.suffix)
    rows = walked(place, of_reference(place), lambda page: place.jumps(HOUR * page))
    return len(rows), len({row["id"] for row in rows})


@CLOCKS.case(
    712, "a signature is judged by the clock that is right again", "stripe-dotnet 1183", ("401 unauthorized", "200")
)
def signatures(place: ClockedPlace) -> object:
    seen = []
    for off in (HOUR, 0):
        place.jumps(off)
        body = event(place.opens(), "authorize", 1, "authorized", "clock")
        signature = sign(PROVIDER_SECRET, body, time.time_ns() // 1_000_000)
        seen.append(place.heard("POST", PATH, JSON, f"Provider-Signature: {signature}", body=body).short)
    return tuple(seen)


@CLOCKS.case(713, "a session's end is told, and comes, by the shop's clock", "cuba 3206", ("open", "expired"))
def ends(place: ClockedPlace) -> object:
    place.jumps(-HOUR)
    order = place.opens(expires_in=2)
    status = order.session()["status"]
    order.becomes("expired")
    return status, order.session()["status"]


@CLOCKS.case(714, "readiness does not look at the wall", "systemd 6036", {"200"})
def readiness(place: ClockedPlace) -> object:
    seen = set()
    for off in (HOUR, -HOUR, 0):
        place.jumps(off)
        seen.add(place.short("GET", "/health/ready"))
    return seen


def pays_when_told(order: OrderUnderTest) -> object:
    """The customer pays, as often as the payment says that its time was over: it hears of the longer one soon."""
    for _ in range(100):
        refused = order.tries_to_pay("tok_ok")
        if refused is None or refused.code != "session_ended":
            return refused
        order.session()
    return refused
