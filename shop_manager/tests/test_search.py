"""One search for everything: what is found by what, who is found alone, and what the index costs and holds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from domain.messages import SHOP_MANAGER
from messaging.parked import ParkedMessage, park
from shop_manager.engine.search_index import SearchIndex, table
from shop_manager.engine.tables import clerks, search_schema, technical
from shop_manager.sessions.client_secrets import hash_of
from shop_manager.sessions.search_fill import SearchFill
from shop_manager.tests.http_harness import ITEMS, SERVER, HttpHarness

VIEWER = "op_night"
Groups = dict[str, list[str]]


def search(harness: HttpHarness, text: str, **more: Any) -> dict[str, Any]:
    answered = harness.call("GET", "/ops/search", VIEWER, params={"q": text, **more})
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def groups(harness: HttpHarness, text: str) -> Groups:
    return {group["kind"]: [each["id"] for each in group["hits"]] for group in search(harness, text)["groups"]}


@pytest.fixture
def order(harness: HttpHarness) -> str:
    """An order of Ada's that has been shipped under the tracking number 123."""
    order: str = harness.brings_all(SERVER, customer="ada", client_reference="WEB-2026/0815")["id"]
    harness.goes_on_to_the_end()
    return order


FOUND_BY = [
    ("{id}", "clerk"),
    ("{bare}", "clerk"),
    ("{six}", "clerk"),
    ("{upper}", "clerk"),
    ("web-2026", "client_reference"),
    ("2026 08", "client_reference"),
    ("0815", "client_reference"),
    ("squeaky-b", "sku"),
    ("123", "tracking"),
    ("pay_{bare}", "provider_reference"),
    ("{id}/credit/1/do", "message"),
    ("{id}/credit/1/do/reply", "message"),
]


def test_an_order_is_found_and_is_the_only_one(harness: HttpHarness, order: str) -> None:
    bare = order.removeprefix("clk_")
    for text, kind in FOUND_BY:
        asked = text.format(id=order, bare=bare, six=bare[:6], upper=order.upper())
        assert groups(harness, asked) == {kind: [order]}, asked
        assert search(harness, asked)["only"] == {"type": "clerk", "id": order}, asked


def test_a_customer_is_found_by_id_name_and_address_and_has_the_orders(harness: HttpHarness, order: str) -> None:
    filled(harness, harness.manager.search)
    for text in ("ada", "ADA", "Ádà", "ada@example.com", "ADA@Example.COM"):
        found = search(harness, text)
        assert found["only"] == {"type": "customer", "id": "ada"}, text
        [group] = found["groups"]
        assert group["kind"] == "customer"
        assert group["hits"][0]["customer"] == {"id": "ada", "name": "Ada", "type": "regular"}


def test_a_guest_is_found_by_name_and_address_until_these_are_changed(harness: HttpHarness) -> None:
    opened = harness.opened(name="Zoë Ångström", email="zoe@example.com")
    for text in ("zoe", "Angstrom", "ångström zoë", "zoe@example.com"):
        assert search(harness, text)["only"] == {"type": "clerk", "id": opened["id"]}, text
    harness.sent()
    changes = {"name": "Zoë Nyman", "email": None}
    path, seen = opened["links"]["self"], {"If-Match": f'"{opened["version"]}"'}
    assert harness.call("PATCH", path, opened["client_secret"], json=changes, headers=seen).is_success
    assert groups(harness, "nyman") == {"name": [opened["id"]]}
    assert groups(harness, "angstrom") == groups(harness, "zoe@example.com") == {}


def test_a_customer_who_changes_is_found_by_what_is_true_now(harness: HttpHarness) -> None:
    known = {"name": "Joan Clarke", "email": "joan@example.com", "type": "regular"}
    for body in (known, {**known, "name": "Joan Murray", "email": None}):
        assert harness.call("PUT", "/shop/customers/cus-42", SERVER, json=body).is_success
    assert groups(harness, "murray") == groups(harness, "42") == {"customer": ["cus-42"]}
    assert groups(harness, "clarke") == groups(harness, "joan@example.com") == {}


def test_several_are_grouped_by_kind_the_latest_first_and_more_is_said(harness: HttpHarness) -> None:
    ids = []
    for number in range(3):
        harness.now += 1_000
        ids.append(harness.opened(SERVER, client_reference=f"big-{number % 2}", items=ITEMS)["id"])
    assert groups(harness, "big") == {"client_reference": [ids[2], ids[0], ids[1]]}
    some = search(harness, "big", limit=2)
    assert [group["more"] for group in some["groups"]] == [True]
    assert some["only"] is None


def test_a_parked_message_is_found_by_its_id_and_by_the_messages(harness: HttpHarness) -> None:
    noise = ParkedMessage(SHOP_MANAGER, "replies", "no reason", "clk_gone/credit/1/do", b"?")
    with harness.database.begin() as tx:
        park(tx, technical.parked, [noise], harness.now)
    for text in (noise.id, noise.id[4:12], noise.id.upper(), "clk_gone/credit/1/do"):
        assert search(harness, text)["only"] == {"type": "parked", "id": noise.id}, text


def test_an_operator_is_found_who_has_done_something(harness: HttpHarness) -> None:
    asked = {"name": "Grace.H", "role": "operator", "reason": "joins"}
    assert harness.call("POST", "/ops/people", "op_boss", json=asked).is_success
    assert groups(harness, "grace.") == {}
    key = "op_day"
    with harness.database.begin() as tx:
        audit = search_schema.terms.metadata.tables["audit"]
        line = {"who": "Grace.H", "who_key": "grace.h", "role": "operator", "action": "retry", "target": "clerk:x"}
        tx.insert_numbered(audit, [{**line, "at": 1, "reason": key, "outcome": "done", "detail": ""}], "number")
    assert search(harness, "GRACE.")["only"] == {"type": "operator", "id": "Grace.H"}


def test_what_fits_nothing_finds_nothing(harness: HttpHarness, order: str) -> None:
    for text in ("x", "-", "★★★", "%", "clk_x", "' OR 1=1", "/", "a/b/c", "nobody@nowhere"):
        assert search(harness, text) == {"query": text, "only": None, "groups": []}


def test_names_and_addresses_stand_in_the_index_as_keyed_hashes_only(harness: HttpHarness) -> None:
    harness.opened(name="Zoë Ångström", email="zoe@example.com")
    with harness.database.read() as tx:
        kept = " ".join(f"{row.kind}={row.term}" for row in tx.execute(select(table)))
    assert "name=" in kept and "email=" in kept
    assert "zoe" not in kept and "angstrom" not in kept


def test_an_order_costs_no_more_than_two_statements_for_it(harness: HttpHarness) -> None:
    def statements(**body: Any) -> int:
        before = harness.database.statements
        harness.brings_all(SERVER, **body)
        harness.goes_on_to_the_end()
        return harness.database.statements - before

    statements()
    with_search = statements(client_reference="web-1", customer="ada")
    harness.manager.search.follow = lambda *_arguments: None  # type: ignore[method-assign]
    assert with_search - statements(client_reference="web-2", customer="ada") == 2


def test_what_was_there_before_is_entered_in_portions_and_once_more_with_another_secret(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop_manager.sessions.search_fill.PORTION", 2)
    opened = [harness.opened(SERVER, customer="grace", client_reference=f"web-{each}")["id"] for each in range(5)]
    with harness.database.begin() as tx:
        before = tx.execute(select(func.count()).select_from(table)).scalar_one()
        tx.execute(table.delete())
        tx.execute(update(clerks).values(opened_at=clerks.c.opened_at - 10**10))
    assert groups(harness, "web-3") == groups(harness, "grace") == {}
    filled(harness, harness.manager.search)
    assert groups(harness, "web-3") == {"client_reference": [opened[3]]}
    assert groups(harness, "grace") == {"customer": ["grace"]}
    harness.manager.search = SearchIndex(lambda text: hash_of(f"another secret {text}"))
    assert groups(harness, "grace@example.com") == {}
    filled(harness, harness.manager.search)
    assert groups(harness, "grace@example.com") == {"customer": ["grace"]}
    with harness.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(table)).scalar_one() > before


def filled(harness: HttpHarness, index: SearchIndex) -> None:
    filling = SearchFill(harness.database, index)
    for _ in range(50):
        filling.tick()
        if filling.done:
            return
    pytest.fail("the search was not filled in 50 ticks")
