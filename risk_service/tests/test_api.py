"""Risk's HTTP routes: the shop's backend reads and sets limits, nobody else does."""

from __future__ import annotations

import pytest

from http_api.tests.client import ServiceClient
from messaging.database import Database
from risk_service.api import risk_router
from risk_service.tests.commands import SETTINGS, replies_to, reserves, settles
from risk_service.use_cases import CreditUseCases

NOTHING_HELD = {"currency": "EUR", "limit": 10_000, "reserved": 0, "outstanding": 0, "available": 10_000}


@pytest.fixture
def client(database: Database) -> ServiceClient:
    return ServiceClient(database, [risk_router(CreditUseCases(database, SETTINGS.limits()))])


def test_a_customer_whom_risk_has_never_heard_of_has_the_default_limit(client: ServiceClient) -> None:
    answer = client.call("GET", "/risk/customers/ada", client.server)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "ada",
        "score": 500,
        **NOTHING_HELD,
        "reservations": [],
        "accounts": [NOTHING_HELD],
    }


def test_what_is_reserved_is_listed_by_session(client: ServiceClient, database: Database) -> None:
    replies_to(database, reserves("clk_1", 2_590), reserves("clk_2", 1_000), reserves("clk_3", 1_000, "bob"))
    standing = client.call("GET", "/risk/customers/ada", client.server).json()
    assert (standing["reserved"], standing["available"]) == (3_590, 6_410)
    assert standing["reservations"] == [
        {"session": "clk_1", "amount": 2_590, "currency": "EUR"},
        {"session": "clk_2", "amount": 1_000, "currency": "EUR"},
    ]


def test_a_limit_that_is_set_holds_from_then_on(client: ServiceClient, database: Database) -> None:
    answer = client.call("PUT", "/risk/customers/ada", client.server, {"limit": 100})
    assert (answer.status_code, answer.json()["limit"]) == (200, 100)
    (reply,) = replies_to(database, reserves("clk_1", 101))
    assert reply.outcome == "refused"


def test_a_lower_limit_leaves_running_reservations_alone(client: ServiceClient, database: Database) -> None:
    replies_to(database, reserves("clk_1", 5_000))
    standing = client.call("PUT", "/risk/customers/ada", client.server, {"limit": 100}).json()
    assert (standing["reserved"], standing["available"]) == (5_000, -4_900)


def test_setting_a_limit_keeps_score_and_debt(client: ServiceClient, database: Database) -> None:
    replies_to(database, reserves("clk_1", 5_000))
    replies_to(database, settles("clk_1", {"status": "lost"}))
    standing = client.call("PUT", "/risk/customers/ada", client.server, {"limit": 20_000}).json()
    assert (standing["outstanding"], standing["score"], standing["available"]) == (5_000, 300, 15_000)


@pytest.mark.parametrize(
    "body", [{"limit": -1}, {"limit": "5"}, {"limit": 1.5}, {"limit": 10**13}, {}, {"limit": 1, "x": 1}]
)
def test_a_limit_that_cannot_be_is_a_422(client: ServiceClient, body: object) -> None:
    assert client.call("PUT", "/risk/customers/ada", client.server, body).status_code == 422


def test_each_currency_has_its_own_limit_and_yen_are_never_added_to_cents(
    client: ServiceClient, database: Database
) -> None:
    """A yen is so small that its default is a number of its own."""
    replies_to(database, reserves("clk_1", 2_590))
    yen = {"currency": "JPY", "limit": 5_000, "reserved": 0, "outstanding": 0, "available": 5_000}
    assert client.call("GET", "/risk/customers/ada?currency=JPY", client.server).json()["limit"] == 150_000
    assert client.call("GET", "/risk/customers/ada?currency=KWD", client.server).json()["limit"] == 100_000
    answer = client.call("PUT", "/risk/customers/ada", client.server, {"limit": 5_000, "currency": "JPY"}).json()
    assert (answer["currency"], answer["limit"], answer["reserved"]) == ("JPY", 5_000, 0)
    euros = {"currency": "EUR", "limit": 10_000, "reserved": 2_590, "outstanding": 0, "available": 7_410}
    standing = client.call("GET", "/risk/customers/ada", client.server).json()
    assert standing["accounts"] == [euros, yen]
    assert {name: standing[name] for name in euros} == euros
    replies = replies_to(database, reserves("clk_2", 5_001, currency="JPY"), reserves("clk_3", 5_000, currency="JPY"))
    assert [reply.outcome for reply in replies] == ["refused", "done"]
    (settled,) = replies_to(database, settles("clk_3", {"status": "lost"}))
    assert settled.outcome == "done"
    assert client.call("GET", "/risk/customers/ada?currency=JPY", client.server).json()["outstanding"] == 5_000
    assert client.call("GET", "/risk/customers/ada", client.server).json()["outstanding"] == 0


@pytest.mark.parametrize("currency", ["BTC", "XXX", "ZZZ", "eur", ""])
def test_a_currency_that_is_none_is_a_422(client: ServiceClient, currency: str) -> None:
    answer = client.call("PUT", "/risk/customers/ada", client.server, {"limit": 5, "currency": currency})
    assert (answer.status_code, answer.json()["param"]) == (422, "$.currency")
    assert client.call("GET", f"/risk/customers/ada?currency={currency}", client.server).status_code == 422


def test_only_the_shops_backend_may_look_or_set(client: ServiceClient) -> None:
    for method, body in (("GET", None), ("PUT", {"limit": 5})):
        assert client.call(method, "/risk/customers/ada", None, body).status_code == 401
        assert client.call(method, "/risk/customers/ada", "cs_of_a_customer", body).status_code == 403
        assert client.call(method, "/risk/customers/ada", client.warehouse, body).status_code == 403
