"""Fulfillment's HTTP routes: who may use them, and what they respond."""

from __future__ import annotations

import pytest

from fulfillment_service.main import build
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.tests.commands import (
    ADDRESS,
    allocates,
    asks_to_ship,
    delivers,
    releases,
    replies_to,
    secret_for,
)
from http_api.tests.client import ServiceClient
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.tests.databases import Clock

LABEL = {"carrier": "Dog Sled", "tracking": "SLED-1"}
OWN = secret_for("clk_1")


@pytest.fixture
def client(database: Database) -> ServiceClient:
    transport = MemoryBroker().transport("fulfillment.commands.v1", "fulfillment")
    transport.start()
    _, routers = build(FulfillmentSettings(), database, transport)
    return ServiceClient(database, routers)


@pytest.fixture
def asked(database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    replies_to(database, asks_to_ship("clk_1"))


def test_stock_is_read_and_counted_anew(client: ServiceClient, database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    counted = client.call("PUT", "/fulfillment/stock/SQUEAKY-BONE", client.warehouse, {"on_hand": 50})
    assert counted.json() == {"sku": "SQUEAKY-BONE", "on_hand": 50, "reserved": 2, "shipped": 0}
    assert client.call("GET", "/fulfillment/stock/SQUEAKY-BONE", client.server).json() == counted.json()


def test_a_new_article_can_be_put_into_stock_and_an_unknown_one_is_a_404(client: ServiceClient) -> None:
    assert client.call("GET", "/fulfillment/stock/SQUEAKY-CAT", client.server).status_code == 404
    put = client.call("PUT", "/fulfillment/stock/SQUEAKY-CAT", client.server, {"on_hand": 5})
    assert put.json() == {"sku": "SQUEAKY-CAT", "on_hand": 5, "reserved": 0, "shipped": 0}


@pytest.mark.parametrize(
    "body", [{"on_hand": -1}, {"on_hand": "5"}, {"on_hand": 1.5}, {}, {"on_hand": 1, "shipped": 9}]
)
def test_stock_that_cannot_be_is_a_422(client: ServiceClient, body: object) -> None:
    assert client.call("PUT", "/fulfillment/stock/SQUEAKY-BONE", client.warehouse, body).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/fulfillment/stock/SQUEAKY-BONE", None),
        ("PUT", "/fulfillment/stock/SQUEAKY-BONE", {"on_hand": 1}),
        ("POST", "/fulfillment/stock/SQUEAKY-BONE/adjust", {"delta": 1, "reason": "found", "reference": "note-1"}),
        ("GET", "/fulfillment/shipments", None),
        ("POST", "/fulfillment/clk_1/ship", LABEL),
    ],
)
@pytest.mark.usefixtures("asked")
def test_the_warehouses_routes_are_closed_to_customers_and_strangers(
    client: ServiceClient, method: str, path: str, body: object
) -> None:
    assert client.call(method, path, None, body).status_code == 401
    assert client.call(method, path, OWN, body).status_code == 403


@pytest.mark.usefixtures("asked")
def test_only_the_warehouse_says_shipped(client: ServiceClient) -> None:
    assert client.call("POST", "/fulfillment/clk_1/ship", client.server, LABEL).status_code == 403
    assert client.call("GET", "/fulfillment/shipments", client.server).status_code == 403


@pytest.mark.usefixtures("asked")
def test_the_warehouse_finds_what_it_has_to_ship_and_ships_it(client: ServiceClient, clock: Clock) -> None:
    clock.now += 1
    listed = client.call("GET", "/fulfillment/shipments?status=allocated", client.warehouse).json()
    waiting = {
        "session": "clk_1",
        "status": "allocated",
        "carrier": None,
        "tracking": None,
        "name": "Ada",
        "shipping_address": ADDRESS,
        "items": [{"sku": "SQUEAKY-BONE", "name": "Squeaky-Bone", "quantity": 2}],
    }
    assert (listed["data"], listed["has_more"]) == ([waiting], False)
    shipped = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, LABEL)
    assert shipped.status_code == 202
    assert shipped.json() == {**waiting, "status": "shipped", **LABEL}
    assert client.call("GET", "/fulfillment/shipments?status=allocated", client.warehouse).json()["data"] == []
    again = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, {"carrier": "Other", "tracking": "X"})
    assert (again.status_code, again.json()) == (202, shipped.json())


@pytest.mark.parametrize("query", ["status=lost", "limit=0", "limit=201", "cursor=nonsense"])
def test_a_page_that_cannot_be_is_a_422(client: ServiceClient, query: str) -> None:
    assert client.call("GET", f"/fulfillment/shipments?{query}", client.warehouse).status_code == 422


PARCELS = [
    ("DHL", "00340434161094436462"),
    ("DHL", "JJD014600004242424242"),
    ("UPS", "1Z4242424242424242"),
    ("La Poste", "RR123456785DE"),
    ("Dog Sled", "364090271585378563"),
    ("USPS", "9205 4514 0561 3503 4760 66"),
    ("FedEx Ground", "568265748855759"),
    ("DPD", "36227206271667"),
]
"""Parcel numbers in which a card's can be seen: eight ways to say truly where a parcel is."""


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(("carrier", "tracking"), PARCELS)
def test_S12_the_warehouse_can_say_each_parcels_true_number(client: ServiceClient, carrier: str, tracking: str) -> None:
    label = {"carrier": carrier, "tracking": tracking}
    answer = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, label)
    assert (answer.status_code, answer.json()["tracking"]) == (202, tracking)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("carrier", ["DHL", "FedEx Ground", "DPD"])
def test_S12_a_card_number_is_no_parcels(client: ServiceClient, carrier: str) -> None:
    label = {"carrier": carrier, "tracking": "4242424242424242"}
    answer = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, label)
    assert (answer.status_code, answer.json()["code"]) == (422, "card_number_refused")
    assert client.call("GET", "/fulfillment/clk_1", client.warehouse).json()["tracking"] is None


def test_S12_stock_is_counted_for_an_article_whose_ean_looks_like_a_card_number(client: ServiceClient) -> None:
    put = client.call("PUT", "/fulfillment/stock/4006381333924", client.warehouse, {"on_hand": 5})
    assert (put.status_code, put.json()["sku"]) == (200, "4006381333924")


def test_goods_that_nobody_asked_to_ship_are_a_409(client: ServiceClient, database: Database) -> None:
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 1}))
    answer = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, LABEL)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_to_be_shipped_yet")


@pytest.mark.usefixtures("asked")
def test_released_goods_are_a_409(client: ServiceClient, database: Database) -> None:
    replies_to(database, releases("clk_1"))
    answer = client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, LABEL)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


def test_a_session_that_nobody_knows_is_a_404(client: ServiceClient) -> None:
    assert client.call("POST", "/fulfillment/clk_9/ship", client.warehouse, LABEL).status_code == 404
    assert client.call("GET", "/fulfillment/clk_9", client.warehouse).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"carrier": "Dog Sled"}, {"carrier": " ", "tracking": "1"}, {**LABEL, "status": "x"}]
)
@pytest.mark.usefixtures("asked")
def test_a_label_that_is_none_is_a_422(client: ServiceClient, body: object) -> None:
    assert client.call("POST", "/fulfillment/clk_1/ship", client.warehouse, body).status_code == 422


@pytest.mark.usefixtures("asked")
def test_a_shipment_is_seen_by_its_customer_the_backend_and_the_warehouse_only(client: ServiceClient) -> None:
    for key in (OWN, client.server, client.warehouse):
        answer = client.call("GET", "/fulfillment/clk_1", key)
        assert (answer.status_code, answer.json()["status"]) == (200, "allocated")
    foreign = client.call("GET", "/fulfillment/clk_1", secret_for("clk_2"))
    unknown = client.call("GET", "/fulfillment/clk_9", OWN)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["code"] == unknown.json()["code"] == "not_found"
    assert client.call("GET", "/fulfillment/clk_1").status_code == 401


def test_a_download_is_seen_as_delivered(client: ServiceClient, database: Database) -> None:
    replies_to(database, delivers("clk_1", {"BARK-ALBUM": 1}))
    assert client.call("GET", "/fulfillment/clk_1", OWN).json()["status"] == "delivered"
