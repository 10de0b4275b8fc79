"""Opening a session: what it answers, what it refuses, and that the same request makes one Clerk (api.md)."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, func, select

from domain.times import hours
from doors.callers import Caller
from doors.problems import Problem
from shop_manager import store
from shop_manager.idempotency import forget_old, request_of
from shop_manager.opening import Opening
from shop_manager.opening_request import OpenSession
from shop_manager.secrets import ClientSecrets, WeakSecret
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.house import ITEMS, SERVER, House

ALL_KEYS = [
    "id", "object", "version", "status", "payment_status", "fulfillment_status", "process", "shop", "currency",
    "created_at", "updated_at", "expires_at", "client_reference", "client_secret", "items", "total", "progress",
    "next_action", "failure", "messages", "metadata", "links",
]  # fmt: skip


def clerks(house: House) -> int:
    with house.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(store.clerks)).scalar_one())


def test_nothing_at_all_opens_a_guests_session_in_the_default_shop(house: House) -> None:
    for body in (b"{}", b""):
        answered = house.call("POST", "/shop/session", content=body)
        assert answered.status_code == 201
        session = answered.json()
        assert list(session) == ALL_KEYS
        assert (session["status"], session["shop"], session["currency"]) == ("open", "squeaky-toys", "EUR")
        assert session["process"] == "standard/1"
        assert session["items"] == [] and session["total"] == 0
        assert answered.headers["location"] == f"/shop/session/{session['id']}"
        assert answered.headers["etag"] == f'"{session["version"]}"'
        assert session["next_action"]["type"] == "place_order"


def test_the_document_begins_as_processes_md_has_it(house: House) -> None:
    session = house.brings_all(
        SERVER,
        customer="ada",
        client_reference="web-1",
        metadata={"basket": 7},
        shipping_address={"city": "Delft"},
        expires_in=60,
    )
    [command] = house.sent()
    assert command.name == "StartShopping"
    head = command.document["clerk"]
    assert head["secret_sha256"] == hashlib.sha256(session["client_secret"].encode()).hexdigest()
    assert head["brought"] == {"items": ITEMS, "payment": {"token": "tok_ok"}}
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
    assert command.deadline == house.now + 60_000


def test_what_was_not_brought_is_not_named_and_no_secret_travels(house: House) -> None:
    session = house.opened()
    [command] = house.sent()
    assert "brought" not in command.document["clerk"]
    assert command.document["customer"]["id"] is None and command.document["customer"]["type"] == "guest"
    assert session["client_secret"].startswith("cs_") and len(session["client_secret"]) >= 25
    with house.database.read() as tx:
        rows = [str(row) for table in store.metadata.sorted_tables for row in tx.execute(select(table))]
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
    house: House, customer: str | None, shop: str, process: str
) -> None:
    session = house.opened(SERVER, customer=customer, shop=shop)
    assert session["process"] == process
    with house.database.read() as tx:
        [(_, opened), *_] = store.read_history(tx, session["id"])
    assert opened.data["chosen"]["process"] == process
    assert opened.data["chosen"]["rule"]
    assert opened.data["chosen"]["inputs"]["shop_type"] == ("digital" if "sounds" in shop else "physical")


def test_only_the_shops_backend_names_customers(house: House) -> None:
    session = house.opened()
    for key, status in ((None, 401), (session["client_secret"], 403), ("wk_hall", 403), ("op_night", 403)):
        answered = house.call("POST", "/shop/session", key, json={"customer": "ada"})
        assert answered.status_code == status
    assert clerks(house) == 1


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
        ({"payment": {"token": ""}}, 422, "invalid_request", "$.payment.token"),
        ({"payment": {"token": "tok_4242424242424242"}}, 422, "card_number_refused", None),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_refused_and_named(
    house: House, body: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answered = house.call("POST", "/shop/session", SERVER, json=body)
    assert (answered.status_code, answered.json()["code"], answered.json()["param"]) == (status, code, param)
    assert clerks(house) == 0


def test_quantities_and_empty_orders_are_the_shops_to_refuse(house: House) -> None:
    for items in ([], [{"sku": "A", "quantity": 0}], [{"sku": "A", "quantity": 1_000_000}]):
        house.opened(items=items)
        [command] = house.sent()
        assert command.document["clerk"]["brought"] == {"items": items}


def test_a_session_that_brings_its_order_is_processing_and_asks_nobody_to_act(house: House) -> None:
    session = house.brings_all()
    assert session["status"] == "processing"
    assert session["next_action"] is None
    assert set(session["links"]) == {"self", "cancel", "events"}


def test_opening_takes_few_statements(house: House) -> None:
    statements: list[str] = []
    event.listen(house.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    house.brings_all(SERVER, customer="ada")
    work = [each for each in statements if not each.startswith(("BEGIN", "PRAGMA"))]
    assert len([each for each in work if "FROM outbox" not in each]) <= 4, work


def test_a_session_can_be_opened_while_the_broker_is_down(house: House) -> None:
    house.link.close()
    session = house.brings_all()
    assert session["status"] == "processing"
    assert house.outbox.unsent() == 1


def test_beyond_the_bound_of_unsent_messages_nobody_gets_in(tmp_path: Path) -> None:
    house = House(tmp_path, outbox_bound=2)
    house.link.close()
    for _ in range(3):
        house.opened()
    opening = Opening(house.manager, house.secrets, house.settings)
    with pytest.raises(Problem) as raised:
        opening.backlog.check()
    assert raised.value.code == "broker_unavailable"
    assert int(raised.value.headers["Retry-After"]) >= 1
    house.link.start()
    with pytest.raises(Problem) as raised:
        opening.backlog.check()
    assert raised.value.code == "overloaded"


def test_without_its_database_nothing_is_promised(house: House) -> None:
    unprepared = ClientSecrets(house.settings.secret, house.database)
    with pytest.raises(Problem) as raised:
        unprepared.of("clk_1")
    assert raised.value.known.status == 503


# --- Idempotency-Key --------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_same_answer_and_one_clerk(house: House) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = house.call("POST", "/shop/session", SERVER, json={"customer": "ada", "items": ITEMS}, headers=key)
    house.goes_on_to("AuthorizePayment")
    again = house.call("POST", "/shop/session", SERVER, json={"items": ITEMS, "customer": "ada"}, headers=key)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json() and list(again.json()) == ALL_KEYS
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"] and again.headers["location"] == first.headers["location"]
    assert clerks(house) == 1


def test_an_empty_body_and_empty_braces_are_the_same_request(house: House) -> None:
    key = {"Idempotency-Key": "guest-1"}
    first = house.call("POST", "/shop/session", content=b"", headers=key)
    again = house.call("POST", "/shop/session", json={}, headers=key)
    assert again.json() == first.json()


def test_the_same_key_for_another_body_is_a_conflict(house: House) -> None:
    key = {"Idempotency-Key": "order-1"}
    house.call("POST", "/shop/session", SERVER, json={}, headers=key)
    answered = house.call("POST", "/shop/session", SERVER, json={"items": ITEMS}, headers=key)
    assert (answered.status_code, answered.json()["code"]) == (422, "idempotency_conflict")
    assert clerks(house) == 1


def test_a_key_belongs_to_its_caller(house: House) -> None:
    key = {"Idempotency-Key": "order-1"}
    ids = {house.call("POST", "/shop/session", who, json={}, headers=key).json()["id"] for who in (SERVER, "sk_other")}
    assert len(ids) == 2


def test_a_refused_request_is_not_remembered(house: House) -> None:
    key = {"Idempotency-Key": "order-1"}
    body = {"customer": "new"}
    assert house.call("POST", "/shop/session", SERVER, json=body, headers=key).status_code == 404
    house.call("PUT", "/shop/customers/new", SERVER, json={"name": "New"})
    assert house.call("POST", "/shop/session", SERVER, json=body, headers=key).status_code == 201


def test_an_overlong_key_is_refused(house: House) -> None:
    answered = house.call("POST", "/shop/session", json={}, headers={"Idempotency-Key": "k" * 256})
    assert (answered.status_code, answered.json()["code"]) == (422, "idempotency_key_invalid")


def test_after_24_hours_a_key_is_new_again_whether_swept_or_not(house: House) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = house.call("POST", "/shop/session", json={}, headers=key)
    house.now += hours(24)
    second = house.call("POST", "/shop/session", json={"items": ITEMS}, headers=key)
    assert second.status_code == 201 and second.json()["id"] != first.json()["id"]
    assert house.call("POST", "/shop/session", json={"items": ITEMS}, headers=key).json() == second.json()
    house.now += hours(24)
    forget_old(house.database)
    with house.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(store.idempotency)).scalar_one() == 0


def test_many_at_once_with_one_key_make_exactly_one_clerk(house: House) -> None:
    others = [Opening(house.manager, house.secrets, house.settings) for _ in range(2)]
    together = Barrier(8)

    def open_one(number: int) -> str:
        together.wait()
        try:
            opened = others[number % 2].open(OpenSession(), Caller("server", name="shop"), "one", None)
        except Problem as problem:
            return problem.code
        return str(opened.session["client_secret"])

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(open_one, range(8)))
    assert clerks(house) == 1
    assert len(told - {"idempotency_in_flight"}) == 1


def test_while_the_first_is_running_the_same_key_is_told_to_wait(house: House) -> None:
    opening = Opening(house.manager, house.secrets, house.settings)
    who = Caller("server", name="shop")
    with opening.in_hand.alone(request_of(who, "POST", "/shop/session", "one", {})), pytest.raises(Problem) as raised:
        opening.open(OpenSession(), who, "one", None)
    assert raised.value.code == "idempotency_in_flight"
    assert opening.open(OpenSession(), who, "one", None).session["status"] == "open"


# --- the master secret ------------------------------------------------------------------------------------------------


def test_every_process_derives_the_same_secrets_from_what_the_database_keeps(house: House) -> None:
    second = ClientSecrets(house.settings.secret, house.database)
    second.prepare()
    assert second.of("clk_1") == house.secrets.of("clk_1") != house.secrets.of("clk_2")


def test_a_weak_master_secret_is_refused_without_showing_it(house: House) -> None:
    short = ShopManagerSettings(_env_file=None, secret="hunter2")
    with pytest.raises(WeakSecret, match="7 characters: at least 32") as raised:
        ClientSecrets(short.secret, house.database)
    assert "hunter2" not in str(raised.value)
