"""Risk's door: the shop's backend reads and sets limits, nobody else does."""

from __future__ import annotations

import pytest

from doors.tests.door import Door
from messaging.database import Database
from risk_service.api import risk_router
from risk_service.tests.commands import SETTINGS, answers, reserves, settles


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database, [risk_router(database, SETTINGS)])


def test_a_customer_whom_risk_has_never_heard_of_has_the_default_limit(door: Door) -> None:
    answer = door.call("GET", "/risk/customers/ada", door.server)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "ada",
        "limit": 10_000,
        "reserved": 0,
        "outstanding": 0,
        "available": 10_000,
        "score": 500,
        "reservations": [],
    }


def test_what_is_reserved_is_listed_by_session(door: Door, database: Database) -> None:
    answers(database, reserves("clk_1", 2_590), reserves("clk_2", 1_000), reserves("clk_3", 1_000, "bob"))
    standing = door.call("GET", "/risk/customers/ada", door.server).json()
    assert (standing["reserved"], standing["available"]) == (3_590, 6_410)
    assert standing["reservations"] == [{"session": "clk_1", "amount": 2_590}, {"session": "clk_2", "amount": 1_000}]


def test_a_limit_that_is_set_holds_from_then_on(door: Door, database: Database) -> None:
    answer = door.call("PUT", "/risk/customers/ada", door.server, {"limit": 100})
    assert (answer.status_code, answer.json()["limit"]) == (200, 100)
    (reply,) = answers(database, reserves("clk_1", 101))
    assert reply.outcome == "refused"


def test_a_lower_limit_leaves_running_reservations_alone(door: Door, database: Database) -> None:
    answers(database, reserves("clk_1", 5_000))
    standing = door.call("PUT", "/risk/customers/ada", door.server, {"limit": 100}).json()
    assert (standing["reserved"], standing["available"]) == (5_000, -4_900)


def test_setting_a_limit_keeps_score_and_debt(door: Door, database: Database) -> None:
    answers(database, reserves("clk_1", 5_000))
    answers(database, settles("clk_1", {"status": "lost"}))
    standing = door.call("PUT", "/risk/customers/ada", door.server, {"limit": 20_000}).json()
    assert (standing["outstanding"], standing["score"], standing["available"]) == (5_000, 300, 15_000)


@pytest.mark.parametrize(
    "body", [{"limit": -1}, {"limit": "5"}, {"limit": 1.5}, {"limit": 10**13}, {}, {"limit": 1, "x": 1}]
)
def test_a_limit_that_cannot_be_is_a_422(door: Door, body: object) -> None:
    assert door.call("PUT", "/risk/customers/ada", door.server, body).status_code == 422


def test_only_the_shops_backend_may_look_or_set(door: Door) -> None:
    for method, body in (("GET", None), ("PUT", {"limit": 5})):
        assert door.call(method, "/risk/customers/ada", None, body).status_code == 401
        assert door.call(method, "/risk/customers/ada", "cs_of_a_customer", body).status_code == 403
        assert door.call(method, "/risk/customers/ada", door.warehouse, body).status_code == 403
