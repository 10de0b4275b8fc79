"""Stock that is counted or adjusted by hand, while sales go on."""

from __future__ import annotations

from threading import Thread
from typing import Any

import httpx
import pytest

from fulfillment_service.main import build
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.tests.commands import allocates, replies_to, stock_now
from fulfillment_service.use_cases import Adjustment, StockUseCases
from http_api.tests.client import ServiceClient
from messaging.database import Database
from messaging.memory import MemoryBroker

BONE = "/fulfillment/stock/SQUEAKY-BONE"
NOTE: dict[str, Any] = {"delta": 5, "reason": "delivery", "reference": "note-1"}


@pytest.fixture
def client(database: Database) -> ServiceClient:
    transport = MemoryBroker().transport("fulfillment.commands.v1", "fulfillment")
    transport.start()
    _, routers = build(FulfillmentSettings(), database, transport)
    return ServiceClient(database, routers)


def count(client: ServiceClient, on_hand: int, match: str, path: str = BONE) -> httpx.Response:
    return client.call("PUT", path, client.warehouse, {"on_hand": on_hand}, headers={"If-Match": match})


def adjust(client: ServiceClient, path: str = BONE, **changed: Any) -> httpx.Response:
    return client.call("POST", f"{path}/adjust", client.warehouse, {**NOTE, **changed})


def sell(database: Database, session: str, quantity: int) -> None:
    (reply,) = replies_to(database, allocates(session, {"SQUEAKY-BONE": quantity}))
    assert reply.outcome == "done"


def test_a_count_does_not_overwrite_what_was_sold_meanwhile(client: ServiceClient, database: Database) -> None:
    seen = client.call("GET", BONE, client.warehouse).headers["etag"]
    sell(database, "clk_1", 2)
    late = count(client, 10, seen)
    now = client.call("GET", BONE, client.warehouse)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert (late.json()["current"], late.headers["etag"]) == (now.json(), now.headers["etag"])
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 2, 0)
    counted = count(client, 9, now.headers["etag"])
    assert (counted.status_code, stock_now(database)["SQUEAKY-BONE"]) == (200, (9, 2, 0))
    assert counted.headers["etag"] == client.call("GET", BONE, client.warehouse).headers["etag"]


def test_stock_that_the_client_knows_is_a_304(client: ServiceClient) -> None:
    seen = client.call("GET", BONE, client.warehouse).headers["etag"]
    known = client.call("GET", BONE, client.warehouse, headers={"If-None-Match": seen})
    assert (known.status_code, known.content) == (304, b"")


def test_an_article_that_was_never_in_stock_has_no_version(client: ServiceClient) -> None:
    assert count(client, 5, '"x"', "/fulfillment/stock/SQUEAKY-CAT").status_code == 412
    assert client.call("GET", "/fulfillment/stock/SQUEAKY-CAT", client.warehouse).status_code == 404


def test_an_adjustment_adds_to_what_there_is(client: ServiceClient, database: Database) -> None:
    sell(database, "clk_1", 2)
    adjusted = adjust(client)
    assert adjusted.json() == {"sku": "SQUEAKY-BONE", "on_hand": 13, "reserved": 2, "shipped": 0}
    assert adjusted.headers["etag"] == client.call("GET", BONE, client.warehouse).headers["etag"]
    assert adjust(client, reference="note-2", delta=-13).json()["on_hand"] == 0


def test_stock_is_adjusted_as_it_was_seen_if_wished(client: ServiceClient, database: Database) -> None:
    seen = {"If-Match": client.call("GET", BONE, client.warehouse).headers["etag"]}
    sell(database, "clk_1", 2)
    path = f"{BONE}/adjust"
    late = client.call("POST", path, client.warehouse, NOTE, headers=seen)
    assert (late.status_code, late.json()["code"], late.json()["current"]["on_hand"]) == (412, "version_conflict", 8)
    now = {"If-Match": late.headers["etag"]}
    assert client.call("POST", path, client.warehouse, NOTE, headers=now).json()["on_hand"] == 13
    again = client.call("POST", path, client.warehouse, NOTE, headers=now)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true"), "it was heard before"


def test_the_same_reference_counts_once_an_article(client: ServiceClient, database: Database) -> None:
    first = adjust(client)
    sell(database, "clk_1", 1)
    again = adjust(client)
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.json()["on_hand"]) == (200, 14), "the stock as it is now"
    assert adjust(client, "/fulfillment/stock/SQUEAKY-DUCK").json()["on_hand"] == 8
    other = adjust(client, delta=6)
    assert (other.status_code, other.json()["code"], other.json()["param"]) == (
        422,
        "idempotency_conflict",
        "$.reference",
    )
    assert stock_now(database)["SQUEAKY-BONE"][0] == 14


def test_what_is_not_there_cannot_be_taken_away_and_the_reference_stays_free(
    client: ServiceClient, database: Database
) -> None:
    refused = adjust(client, delta=-11)
    assert (refused.status_code, refused.json()["code"], refused.json()["current"]["on_hand"]) == (
        409,
        "out_of_stock",
        10,
    )
    assert adjust(client, delta=-10).json()["on_hand"] == 0
    assert adjust(client, "/fulfillment/stock/SQUEAKY-CAT", delta=-1).status_code == 409
    assert client.call("GET", "/fulfillment/stock/SQUEAKY-CAT", client.warehouse).status_code == 404


def test_a_delivery_of_a_new_article_puts_it_into_stock(client: ServiceClient) -> None:
    path = "/fulfillment/stock/SQUEAKY-CAT"
    assert adjust(client, path).json() == client.call("GET", path, client.server).json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delta", 0),
        ("delta", 10**9),
        ("delta", 10**9 + 1),
        ("delta", "5"),
        ("delta", True),
        ("reason", " "),
        ("reason", "x" * 501),
        ("reference", ""),
        ("reference", "a b"),
        ("on_hand", 5),
    ],
)
def test_an_adjustment_that_cannot_be_is_a_422(client: ServiceClient, field: str, value: object) -> None:
    assert client.call("POST", f"{BONE}/adjust", client.warehouse, {**NOTE, field: value}).status_code == 422


def test_a_reference_may_be_as_long_as_a_card_number_and_a_reason_may_hold_none(client: ServiceClient) -> None:
    assert adjust(client, reference="LS-4006381333931-2026").status_code == 200
    assert adjust(client, reference="note-2", reason="4242424242424242").json()["code"] == "card_number_refused"


def test_sales_and_adjustments_at_once_lose_nothing(any_database: Database) -> None:
    stock = StockUseCases(any_database)

    def deliver() -> None:
        for number in range(10):
            stock.adjust("SQUEAKY-BONE", Adjustment(1, "delivery", f"note-{number}"))

    hands = [Thread(target=deliver), Thread(target=deliver)]
    for hand in hands:
        hand.start()
    for number in range(10):
        sell(any_database, f"clk_{number}", 1)
    for hand in hands:
        hand.join(30)
    assert stock_now(any_database)["SQUEAKY-BONE"] == (10, 10, 0)
