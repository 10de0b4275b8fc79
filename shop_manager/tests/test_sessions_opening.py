"""Opening a session: what it answers, what it refuses, and one Clerk for the same request (docs/design/api.md)."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, func, select

from domain.times import hours
from http_api.principals import Principal
from http_api.problems import Problem
from shop_manager.engine import store, tables
from shop_manager.sessions.client_secrets import ClientSecrets, WeakSecret
from shop_manager.sessions.idempotency import forget_old, request_of
from shop_manager.sessions.opening import Caller, Opening
from shop_manager.sessions.opening_request import OpenSession
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.http_harness import ITEMS, SERVER, HttpHarness

SHOP = Caller(Principal("server", name="shop", key_id="a"))
STRONG = {"Idempotency-Key": "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6"}
ALL_KEYS = [
    "id", "object", "version", "status", "payment_status", "last_payment_error", "fulfillment_status", "process",
    "shop", "currency", "created_at", "updated_at", "expires_at", "client_reference", "client_secret", "customer",
    "shipping_address", "items", "total", "progress", "next_action", "failure", "messages", "metadata", "links",
]  # fmt: skip


def clerks(harness: HttpHarness) -> int:
    with harness.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(tables.clerks)).scalar_one())


def test_nothing_at_all_opens_a_guests_session_in_the_default_shop(harness: HttpHarness) -> None:
    for body in (b"{}", b""):
        answered = harness.call("POST", "/shop/session", content=body)
        assert answered.status_code == 201
        session = answered.json()
        assert list(session) == ALL_KEYS
        assert (session["status"], session["shop"], session["currency"]) == ("open", "squeaky-toys", "EUR")
        assert session["process"] == "standard/1"
        assert session["items"] == [] and session["total"] == 0
        assert answered.headers["location"] == f"/shop/session/{session['id']}"
        assert answered.headers["etag"] == f'"{session["version"]}"'
        assert session["next_action"]["type"] == "place_order"


def test_the_document_begins_as_processes_md_has_it(harness: HttpHarness) -> None:
    session = harness.brings_all(
        SERVER,
        customer="ada",
        client_reference="web-1",
        metadata={"basket": 7},
        shipping_address={"city": "Delft"},
        expires_in=60,
        expected_total=2590,
    )
    [command] = harness.sent()
    assert command.name == "StartShopping"
    head = command.document["clerk"]
    assert head["secret_sha256"] == hashlib.sha256(session["client_secret"].encode()).hexdigest()
    assert head["brought"] == {"items": ITEMS, "payment": {"token": "tok_ok"}, "expected_total": 2590}
    assert (head["shop"], head["shop_type"], head["currency"]) == ("squeaky-toys", "physical", "EUR")
    assert head["process"] == "standard/1" and head["client_reference"] == "web-1"
    assert command.document["customer"] == {
        "id": "ada",
        "type": "regular",
        "name": "Ada",
        "email": "ada@example.com",
        "shipping_address": {"city": "Delft"},
    }
    assert command.document["metadata"] == {"basket": 7}
    assert command.deadline == harness.now + 60_000


def test_what_was_not_brought_is_not_named_and_no_secret_travels(harness: HttpHarness) -> None:
    session = harness.opened()
    [command] = harness.sent()
    assert "brought" not in command.document["clerk"]
    assert command.document["customer"]["id"] is None and command.document["customer"]["type"] == "guest"
    assert session["client_secret"].startswith("cs_") and len(session["client_secret"]) >= 25
    with harness.database.read() as tx:
        rows = [str(row) for table in tables.metadata.sorted_tables for row in tx.execute(select(table))]
    assert not any(session["client_secret"] in row for row in rows)


@pytest.mark.parametrize(
    ("customer", "shop", "process"),
    [
        ("ada", "squeaky-toys", "standard/1"),
        ("grace", "squeaky-toys", "invoice/1"),
        ("grace", "squeaky-sounds", "digital/1"),
        (None, "squeaky-sounds", "digital/1"),
    ],
)
def test_customer_and_shop_choose_the_process_and_the_choice_is_recorded(
    harness: HttpHarness, customer: str | None, shop: str, process: str
) -> None:
    session = harness.opened(SERVER, customer=customer, shop=shop)
    assert session["process"] == process
    with harness.database.read() as tx:
        [(_, opened), *_] = store.read_history(tx, session["id"])
    assert opened.data["chosen"]["process"] == process
    assert opened.data["chosen"]["rule"]
    assert opened.data["chosen"]["inputs"]["shop_type"] == ("digital" if "sounds" in shop else "physical")


def test_only_the_shops_backend_names_customers(harness: HttpHarness) -> None:
    session = harness.opened()
    for key, status in ((None, 401), (session["client_secret"], 403), ("wk_hall", 403), ("op_night", 403)):
        answered = harness.call("POST", "/shop/session", key, json={"customer": "ada"})
        assert answered.status_code == status
    assert clerks(harness) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"customer": "nobody"}, 404, "customer_unknown", "$.customer"),
        ({"shop": "nowhere"}, 404, "shop_unknown", "$.shop"),
        ({"currency": "USD"}, 422, "invalid_request", "$.currency"),
        ({"currency": "euro"}, 422, "invalid_request", "$.currency"),
        ({"total": 1}, 422, "invalid_request", "$.total"),
        ({"status": "completed"}, 422, "invalid_request", "$.status"),
        ({"items": [{"sku": "A", "quantity": -1}]}, 422, "invalid_request", "$.items[0].quantity"),
        ({"items": [{"sku": "A", "quantity": 1.5}]}, 422, "invalid_request", "$.items[0].quantity"),
        ({"items": [{"sku": "A", "quantity": True}]}, 422, "invalid_request", "$.items[0].quantity"),
        ({"items": [{"sku": "", "quantity": 1}]}, 422, "invalid_request", "$.items[0].sku"),
        ({"items": [{"sku": "A", "quantity": 1, "unit_amount": 1}]}, 422, "invalid_request", "$.items[0].unit_amount"),
        ({"expires_in": 0}, 422, "invalid_request", "$.expires_in"),
        ({"expires_in": 86_401}, 422, "invalid_request", "$.expires_in"),
        ({"metadata": {"n": 10**30}}, 422, "invalid_json", "$"),
        ({"metadata": {"a": {"b": {"c": {"d": {}}}}}}, 422, "invalid_request", "$.metadata"),
        ({"shipping_address": {"street": "x" * 9000}}, 422, "invalid_request", "$.shipping_address"),
        ({"client_reference": ""}, 422, "invalid_request", "$.client_reference"),
        ({"items": [], "expected_total": -1}, 422, "invalid_request", "$.expected_total"),
        ({"items": [], "expected_total": 2**53}, 422, "invalid_request", "$.expected_total"),
        ({"expected_total": 1}, 422, "invalid_request", "$.expected_total"),
        ({"payment": {"token": ""}}, 422, "invalid_request", "$.payment.token"),
        ({"payment": {"token": "tok_4242424242424242"}}, 422, "card_number_refused", "$.payment.token"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_refused_and_named(
    harness: HttpHarness, body: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answered = harness.call("POST", "/shop/session", SERVER, json=body)
    assert (answered.status_code, answered.json()["code"], answered.json()["param"]) == (status, code, param)
    assert clerks(harness) == 0


def test_S12_articles_and_references_may_be_as_long_as_a_card_number(harness: HttpHarness) -> None:
    items = [{"sku": sku, "quantity": 1} for sku in ("4006381333924", "4912345678652", "36220595788946")]
    session = harness.opened(items=items, client_reference="4500012345678901")
    [command] = harness.sent()
    assert session["client_reference"] == "4500012345678901"
    assert command.document["clerk"]["brought"] == {"items": items}


def test_S12_five_hundred_german_articles_are_an_order(harness: HttpHarness) -> None:
    items = [{"sku": f"{number}{check_digit(number)}", "quantity": 1} for number in range(400638133000, 400638133500)]
    assert harness.opened(items=items)["status"] == "processing"


def check_digit(number: int) -> int:
    """GS1's, of an EAN-13 without it."""
    digits = [int(digit) for digit in str(number)]
    return -(sum(digits[::2]) + 3 * sum(digits[1::2])) % 10


@pytest.mark.parametrize(
    "body",
    [
        {"client_reference": "4242424242424242"},
        {"items": [{"sku": "4242424242424242", "quantity": 1}]},
        {"metadata": {"sku": "4006381333924"}},
        {"shipping_address": {"note": "4242424242424242123"}},
    ],
)
def test_S12_a_card_number_opens_no_session(harness: HttpHarness, body: dict[str, Any]) -> None:
    answered = harness.call("POST", "/shop/session", SERVER, json=body)
    assert (answered.status_code, answered.json()["code"]) == (422, "card_number_refused")
    assert clerks(harness) == 0


def test_quantities_and_empty_orders_are_the_shops_to_refuse(harness: HttpHarness) -> None:
    for items in ([], [{"sku": "A", "quantity": 0}], [{"sku": "A", "quantity": 1_000_000}]):
        harness.opened(items=items)
        [command] = harness.sent()
        assert command.document["clerk"]["brought"] == {"items": items}


def test_a_session_that_brings_its_order_is_processing_and_asks_nobody_to_act(harness: HttpHarness) -> None:
    session = harness.brings_all()
    assert session["status"] == "processing"
    assert session["next_action"] is None
    assert set(session["links"]) == {"self", "cancel", "amend", "events"}


def test_opening_takes_few_statements(harness: HttpHarness) -> None:
    statements: list[str] = []
    event.listen(harness.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    harness.brings_all(SERVER, customer="ada")
    work = [each for each in statements if not each.startswith(("BEGIN", "PRAGMA"))]
    assert len([each for each in work if "FROM outbox" not in each]) <= 5, work


def test_a_session_can_be_opened_while_the_broker_is_down(harness: HttpHarness) -> None:
    harness.transport.close()
    session = harness.brings_all()
    assert session["status"] == "processing"
    assert harness.outbox.unsent() == 1


def test_beyond_the_bound_of_unsent_messages_nobody_gets_in(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, outbox_bound=2)
    harness.transport.close()
    for _ in range(3):
        harness.opened()
    opening = Opening(harness.manager, harness.secrets, harness.settings.opening())
    with pytest.raises(Problem) as raised:
        opening.backlog.check()
    assert raised.value.code == "broker_unavailable"
    assert int(raised.value.headers["Retry-After"]) >= 1
    harness.transport.start()
    with pytest.raises(Problem) as raised:
        opening.backlog.check()
    assert raised.value.code == "overloaded"


def test_without_its_database_nothing_is_promised(harness: HttpHarness) -> None:
    unprepared = ClientSecrets(harness.settings.secret, harness.database)
    with pytest.raises(Problem) as raised:
        unprepared.of("clk_1")
    assert raised.value.known.status == 503


# --- Idempotency-Key --------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_same_answer_and_one_clerk(harness: HttpHarness) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = harness.call("POST", "/shop/session", SERVER, json={"customer": "ada", "items": ITEMS}, headers=key)
    harness.goes_on_to("AuthorizePayment")
    again = harness.call("POST", "/shop/session", SERVER, json={"items": ITEMS, "customer": "ada"}, headers=key)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json() and list(again.json()) == ALL_KEYS
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"] and again.headers["location"] == first.headers["location"]
    assert clerks(harness) == 1


def test_an_empty_body_and_empty_braces_are_the_same_request(harness: HttpHarness) -> None:
    first = harness.call("POST", "/shop/session", content=b"", headers=STRONG)
    again = harness.call("POST", "/shop/session", json={}, headers=STRONG)
    assert again.json() == first.json()


def test_the_same_key_for_another_body_is_a_conflict(harness: HttpHarness) -> None:
    key = {"Idempotency-Key": "order-1"}
    harness.call("POST", "/shop/session", SERVER, json={}, headers=key)
    answered = harness.call("POST", "/shop/session", SERVER, json={"items": ITEMS}, headers=key)
    assert (answered.status_code, answered.json()["code"]) == (422, "idempotency_conflict")
    assert clerks(harness) == 1


def test_a_refused_request_is_not_remembered(harness: HttpHarness) -> None:
    key = {"Idempotency-Key": "order-1"}
    body = {"customer": "new"}
    assert harness.call("POST", "/shop/session", SERVER, json=body, headers=key).status_code == 404
    harness.call("PUT", "/shop/customers/new", SERVER, json={"name": "New"})
    assert harness.call("POST", "/shop/session", SERVER, json=body, headers=key).status_code == 201


def test_an_overlong_key_is_refused(harness: HttpHarness) -> None:
    answered = harness.call("POST", "/shop/session", json={}, headers={"Idempotency-Key": "k" * 256})
    assert (answered.status_code, answered.json()["code"]) == (422, "idempotency_key_invalid")


def test_after_24_hours_a_key_is_new_again_whether_swept_or_not(harness: HttpHarness) -> None:
    first = harness.call("POST", "/shop/session", json={}, headers=STRONG)
    harness.now += hours(24)
    second = harness.call("POST", "/shop/session", json={"items": ITEMS}, headers=STRONG)
    assert second.status_code == 201 and second.json()["id"] != first.json()["id"]
    assert harness.call("POST", "/shop/session", json={"items": ITEMS}, headers=STRONG).json() == second.json()
    harness.now += hours(24)
    forget_old(harness.database)
    with harness.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(tables.idempotency)).scalar_one() == 0


def test_many_at_once_with_one_key_make_exactly_one_clerk(harness: HttpHarness) -> None:
    others = [Opening(harness.manager, harness.secrets, harness.settings.opening()) for _ in range(2)]
    together = Barrier(8)

    def open_one(number: int) -> str:
        together.wait()
        try:
            opened = others[number % 2].open(OpenSession(), SHOP, "one", None)
        except Problem as problem:
            return problem.code
        return str(opened.session["client_secret"])

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(open_one, range(8)))
    assert clerks(harness) == 1
    assert len(told - {"idempotency_in_flight"}) == 1


def test_while_the_first_is_running_the_same_key_is_told_to_wait(harness: HttpHarness) -> None:
    opening = Opening(harness.manager, harness.secrets, harness.settings.opening())
    with (
        opening.in_flight.alone(request_of(SHOP.who, "POST", "/shop/session", "one", {})),
        pytest.raises(Problem) as raised,
    ):
        opening.open(OpenSession(), SHOP, "one", None)
    assert raised.value.code == "idempotency_in_flight"
    assert opening.open(OpenSession(), SHOP, "one", None).session["status"] == "open"


# --- the master secret ------------------------------------------------------------------------------------------------


def test_every_process_derives_the_same_secrets_from_what_the_database_keeps(harness: HttpHarness) -> None:
    second = ClientSecrets(harness.settings.secret, harness.database)
    second.prepare()
    assert second.of("clk_1") == harness.secrets.of("clk_1") != harness.secrets.of("clk_2")


def test_a_weak_master_secret_is_refused_without_showing_it(harness: HttpHarness) -> None:
    short = ShopManagerSettings(_env_file=None, secret="hunter2")
    with pytest.raises(WeakSecret, match="7 characters: at least 32") as raised:
        ClientSecrets(short.secret, harness.database)
    assert "hunter2" not in str(raised.value)
