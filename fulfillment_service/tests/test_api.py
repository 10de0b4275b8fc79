"""Fulfillment's doors: who may come in, what is answered, and how."""

from __future__ import annotations

import pytest

from doors.tests.door import Door
from fulfillment_service.main import build
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.tests.commands import allocates, answers, asks_to_ship, delivers, releases, secret_for
from messaging.database import Database
from messaging.memory import MemoryBroker

LABEL = {"carrier": "Dog Sled", "tracking": "SLED-1"}
OWN = secret_for("clk_1")


@pytest.fixture
def door(database: Database) -> Door:
    link = MemoryBroker().link("fulfillment.commands.v1", "fulfillment")
    link.start()
    _, routers = build(FulfillmentSettings(), database, link)
    return Door(database, routers)


@pytest.fixture
def asked(database: Database) -> None:
    answers(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    answers(database, asks_to_ship("clk_1"))


def test_stock_is_read_and_counted_anew(door: Door, database: Database) -> None:
    answers(database, allocates("clk_1", {"SQUEAKY-BONE": 2}))
    counted = door.call("PUT", "/fulfillment/stock/SQUEAKY-BONE", door.warehouse, {"on_hand": 50})
    assert counted.json() == {"sku": "SQUEAKY-BONE", "on_hand": 50, "reserved": 2, "shipped": 0}
    assert door.call("GET", "/fulfillment/stock/SQUEAKY-BONE", door.server).json() == counted.json()


def test_a_new_article_can_be_put_into_stock_and_an_unknown_one_is_a_404(door: Door) -> None:
    assert door.call("GET", "/fulfillment/stock/SQUEAKY-CAT", door.server).status_code == 404
    put = door.call("PUT", "/fulfillment/stock/SQUEAKY-CAT", door.server, {"on_hand": 5})
    assert put.json() == {"sku": "SQUEAKY-CAT", "on_hand": 5, "reserved": 0, "shipped": 0}


@pytest.mark.parametrize(
    "body", [{"on_hand": -1}, {"on_hand": "5"}, {"on_hand": 1.5}, {}, {"on_hand": 1, "shipped": 9}]
)
def test_stock_that_cannot_be_is_a_422(door: Door, body: object) -> None:
    assert door.call("PUT", "/fulfillment/stock/SQUEAKY-BONE", door.warehouse, body).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/fulfillment/stock/SQUEAKY-BONE", None),
        ("PUT", "/fulfillment/stock/SQUEAKY-BONE", {"on_hand": 1}),
        ("GET", "/fulfillment/shipments", None),
        ("POST", "/fulfillment/clk_1/ship", LABEL),
    ],
)
@pytest.mark.usefixtures("asked")
def test_the_warehouses_doors_are_closed_to_customers_and_strangers(
    door: Door, method: str, path: str, body: object
) -> None:
    assert door.call(method, path, None, body).status_code == 401
    assert door.call(method, path, OWN, body).status_code == 403


@pytest.mark.usefixtures("asked")
def test_only_the_warehouse_says_shipped(door: Door) -> None:
    assert door.call("POST", "/fulfillment/clk_1/ship", door.server, LABEL).status_code == 403
    assert door.call("GET", "/fulfillment/shipments", door.server).status_code == 403


@pytest.mark.usefixtures("asked")
def test_the_warehouse_finds_what_it_has_to_ship_and_ships_it(door: Door) -> None:
    listed = door.call("GET", "/fulfillment/shipments?status=allocated", door.warehouse).json()
    waiting = {
        "session": "clk_1",
        "status": "allocated",
        "carrier": None,
        "tracking": None,
        "items": [{"sku": "SQUEAKY-BONE", "name": "Squeaky-Bone", "quantity": 2}],
    }
    assert listed == {"data": [waiting], "has_more": False, "next_cursor": None}
    shipped = door.call("POST", "/fulfillment/clk_1/ship", door.warehouse, LABEL)
    assert shipped.status_code == 202
    assert shipped.json() == {**waiting, "status": "shipped", **LABEL}
    assert door.call("GET", "/fulfillment/shipments?status=allocated", door.warehouse).json()["data"] == []
    again = door.call("POST", "/fulfillment/clk_1/ship", door.warehouse, {"carrier": "Other", "tracking": "X"})
    assert (again.status_code, again.json()) == (202, shipped.json())


def test_the_warehouses_list_comes_in_pages(door: Door, database: Database) -> None:
    sessions = [f"clk_{number}" for number in range(5)]
    answers(database, *(allocates(session, {"SQUEAKY-BONE": 1}) for session in sessions))
    answers(database, *(asks_to_ship(session) for session in sessions))
    found: list[str] = []
    path = "/fulfillment/shipments?limit=2"
    while path:
        body = door.call("GET", path, door.warehouse).json()
        found += [each["session"] for each in body["data"]]
        path = f"/fulfillment/shipments?limit=2&cursor={body['next_cursor']}" if body["has_more"] else ""
    assert found == sessions


@pytest.mark.parametrize("query", ["status=lost", "limit=0", "limit=201", "cursor=nonsense"])
def test_a_page_that_cannot_be_is_a_422(door: Door, query: str) -> None:
    assert door.call("GET", f"/fulfillment/shipments?{query}", door.warehouse).status_code == 422


def test_goods_that_nobody_asked_to_ship_are_a_409(door: Door, database: Database) -> None:
    answers(database, allocates("clk_1", {"SQUEAKY-BONE": 1}))
    answer = door.call("POST", "/fulfillment/clk_1/ship", door.warehouse, LABEL)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_to_be_shipped_yet")


@pytest.mark.usefixtures("asked")
def test_released_goods_are_a_409(door: Door, database: Database) -> None:
    answers(database, releases("clk_1"))
    answer = door.call("POST", "/fulfillment/clk_1/ship", door.warehouse, LABEL)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


def test_a_session_that_nobody_knows_is_a_404(door: Door) -> None:
    assert door.call("POST", "/fulfillment/clk_9/ship", door.warehouse, LABEL).status_code == 404
    assert door.call("GET", "/fulfillment/clk_9", door.warehouse).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"carrier": "Dog Sled"}, {"carrier": " ", "tracking": "1"}, {**LABEL, "status": "x"}]
)
@pytest.mark.usefixtures("asked")
def test_a_label_that_is_none_is_a_422(door: Door, body: object) -> None:
    assert door.call("POST", "/fulfillment/clk_1/ship", door.warehouse, body).status_code == 422


@pytest.mark.usefixtures("asked")
def test_a_shipment_is_seen_by_its_customer_the_backend_and_the_warehouse_only(door: Door) -> None:
    for key in (OWN, door.server, door.warehouse):
        answer = door.call("GET", "/fulfillment/clk_1", key)
        assert (answer.status_code, answer.json()["status"]) == (200, "allocated")
    foreign = door.call("GET", "/fulfillment/clk_1", secret_for("clk_2"))
    unknown = door.call("GET", "/fulfillment/clk_9", OWN)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["code"] == unknown.json()["code"] == "not_found"
    assert door.call("GET", "/fulfillment/clk_1").status_code == 401


def test_a_download_is_seen_as_delivered(door: Door, database: Database) -> None:
    answers(database, delivers("clk_1", {"BARK-ALBUM": 1}))
    assert door.call("GET", "/fulfillment/clk_1", OWN).json()["status"] == "delivered"
