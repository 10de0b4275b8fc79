"""A person is forgotten: nothing of them is found or read any more, and the books stay as they were."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from domain.messages import SHOP_MANAGER
from messaging.parked import ParkedMessage, park
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.engine import store
from shop_manager.engine.tables import clerks, metadata, search_schema, technical
from shop_manager.saga.state import Folding, fold
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_acts import act
from shop_manager.tests.test_operations_api import read
from shop_manager.tests.test_search import filled, groups

BOSS, PAGE = "op_boss", "/dashboard/customers/zora"
PERSON: dict[str, Any] = {
    "name": "Zoraida Quint",
    "email": "zoraida@quint.example",
    "shipping_address": {"line1": "7 Quintessence Row"},
    "metadata": {"gift": "for Zoraida"},
}
WORDS = ("Zoraida", "zoraida", "Quint")
KEY = {"Idempotency-Key": "5f0c54c4-7b0e-4f6e-9d1c-0d5a52a3f6f1"}


@pytest.fixture(autouse=True)
def _the_search_is_of_our_secret(harness: HttpHarness) -> None:
    filled(harness, harness.manager.search)


def forget(harness: HttpHarness, key: str = BOSS, **body: Any) -> httpx.Response:
    return harness.call("POST", "/ops/forget", key, json={"reason": "request 17", **body})


def zoraidas_order(harness: HttpHarness, **more: Any) -> str:
    """A customer whom the shop knows, with an order that has ended, a parked message, and a note about her."""
    harness.call("PUT", "/shop/customers/zora", SERVER, json={"name": PERSON["name"], "email": PERSON["email"]})
    body = {"items": [{"sku": "SQUEAKY-BONE", "quantity": 2}], "payment": {"token": "tok_ok"}, **PERSON, **more}
    opened = harness.call("POST", "/shop/session", SERVER, json={"customer": "zora", **body}, headers=KEY)
    clerk: str = opened.json()["id"]
    harness.goes_on_to_the_end()
    with harness.database.begin() as tx:
        message = ParkedMessage(SHOP_MANAGER, "q", "unknown", f"{clerk}/credit/1/do/reply", b'[{"name":"Zoraida"}]')
        park(tx, technical.parked, [message], harness.now)
    return clerk


def test_nothing_of_the_person_is_in_any_table_and_nothing_finds_them(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    before = harness.session(clerk)
    assert "customer" in groups(harness, "zoraida")
    found = forget(harness, customer="zora").json()
    assert (found["customers"], found["orders"], found["erased"]) == (["zora"], [clerk], 1)
    for text in ("zoraida", "zoraida quint", "zoraida@quint.example", "zora"):
        assert groups(harness, text) == {}
    after = harness.session(clerk)
    gone = {"customer": {"name": None, "email": None}, "shipping_address": {}, "metadata": {}}
    assert after == {**before, **gone, "version": before["version"] + 1}
    again = harness.call("POST", "/shop/session", SERVER, json={"customer": "zora", "items": [
        {"sku": "SQUEAKY-BONE", "quantity": 2}], "payment": {"token": "tok_ok"}, **PERSON}, headers=KEY)  # fmt: skip
    assert (again.status_code, again.json()["customer"]) == (201, {"name": None, "email": None})
    assert read(harness, f"clerks/{clerk}/timeline")["data"][-1]["what"] == "forgotten"
    with harness.database.read() as tx:
        # The outbox is emptied when the broker has confirmed, which nobody does here.
        tables = [table for table in metadata.sorted_tables if table is not technical.outbox]
        told = [(table.name, str(tuple(row))) for table in tables for row in tx.execute(select(table))]
    assert [(table, row) for table, row in told if any(word in row for word in WORDS)] == []


def test_the_books_stay_and_the_history_folds_to_what_is_stored(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness, client_reference="WEB-17")
    with harness.database.read() as tx:
        before = tx.execute(select(clerks).where(clerks.c.id == clerk)).one()
    forget(harness, customer="zora")
    with harness.database.read() as tx:
        row = tx.execute(select(clerks).where(clerks.c.id == clerk)).one()
        saga = store.read(tx, [clerk])[clerk].saga
        entries = [entry for _, entry in store.read_history(tx, clerk)]
    stays = ("status", "customer", "client_reference", "currency", "total", "opened_at", "updated_at", "ended_at")
    assert [getattr(row, name) for name in stays] == [getattr(before, name) for name in stays]
    folded = Folding.begun(fold(clerk, entries[:1]))
    for entry in entries[1:]:
        folded.take(entry)
    assert folded.document == saga.document
    assert folded.version == saga.version == len(entries)


def test_notes_are_erased_and_the_audit_keeps_their_words(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    act(harness, clerk, "note", reason="Zoraida has called", key="op_desk")
    found = forget(harness, customer="zora").json()
    [note] = [line for line in read(harness, f"clerks/{clerk}/timeline")["data"] if line["what"] == "note"]
    assert note["data"]["text"] == "erased"
    assert [line["detail"] for line in read(harness, "activity?kind=act")["data"] if line["what"] == "note"] == [""]
    assert (found["audit_lines"], "audit" in found["kept"]["shop_manager"]) == (1, True)
    assert harness.call("GET", "/ops/customers/zora", BOSS).json()["name"] == "erased"


def test_the_same_again_erases_nothing_more_and_is_no_error(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    first, second = forget(harness, customer="zora"), forget(harness, customer="zora")
    version = harness.saga(clerk).version
    assert (first.json()["erased"], second.status_code, second.json()["erased"]) == (1, 200, 0)
    assert harness.saga(clerk).version == version
    unknown = forget(harness, customer="nobody").json()
    assert (unknown["orders"], unknown["erased"]) == ([], 0)


def test_while_an_order_is_under_way_nothing_is_done_and_it_is_named(harness: HttpHarness) -> None:
    ended = zoraidas_order(harness)
    running = harness.opened(SERVER, customer="zora")["id"]
    refused = forget(harness, customer="zora")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_allowed_now")
    assert (running in refused.json()["detail"], ended in refused.json()["detail"]) == (True, False)
    assert harness.session(ended)["customer"]["name"] == PERSON["name"]
    [line] = read(harness, "audit?action=forget")["data"]
    assert (line["target"], line["outcome"], line["reason"]) == ("customer:zora", "not_allowed_now", "request 17")


def test_before_it_is_known_that_the_search_is_of_our_secret_nobody_is_forgotten(harness: HttpHarness) -> None:
    clerk, fill = zoraidas_order(harness), search_schema.fill
    for change, why in ((delete(fill), "has not noted yet"), (None, "another secret than CLERK_SECRET")):
        with harness.database.begin() as tx:
            if change is not None:
                tx.execute(change)
            else:
                tx.insert(fill, [{"id": 1, "secret": "x", "customer": None, "opened_at": 0, "clerk": ""}])
        for who in ({"customer": "zora"}, {"clerk": clerk}, {"email": PERSON["email"]}):
            refused = forget(harness, **who)
            detail = refused.json()["detail"]
            assert refused.status_code == 409 and why in detail and "try again" in detail and "\n" not in detail
    assert harness.session(clerk)["customer"]["name"] == PERSON["name"]
    assert {line["outcome"] for line in read(harness, "audit?action=forget")["data"]} == {"not_allowed_now"}
    filled(harness, harness.manager.search)
    assert forget(harness, customer="zora").json()["erased"] == 1


def test_while_the_search_is_filled_nobody_is_forgotten_by_an_address_of_which_it_may_not_know(
    harness: HttpHarness,
) -> None:
    zoraidas_order(harness)
    with harness.database.begin() as tx:
        tx.execute(update(search_schema.fill).values(opened_at=harness.now))
    refused = forget(harness, email=PERSON["email"])
    assert (refused.status_code, "still entering orders" in refused.json()["detail"]) == (409, True)
    assert forget(harness, customer="zora").json()["erased"] == 1


def test_by_an_address_the_customers_and_the_guests_orders_are_forgotten_and_it_is_told_nowhere(
    harness: HttpHarness,
) -> None:
    known = zoraidas_order(harness)
    harness.now += 1_000
    guest = harness.brings_all(None, **PERSON)["id"]
    other = harness.brings_all(None, name="Ada", email="ada@example.com")["id"]
    harness.goes_on_to_the_end()
    found = forget(harness, email="Zoraida@Quint.example").json()
    assert (found["customers"], set(found["orders"]), found["erased"]) == (["zora"], {known, guest}, 2)
    assert harness.session(other)["customer"]["name"] == "Ada"
    [line] = read(harness, "audit?action=forget")["data"]
    assert (line["target"], line["after"]) == ("customer", {"customers": 1, "orders": 2})


def test_a_guests_order_without_an_address_is_forgotten_by_its_id(harness: HttpHarness) -> None:
    guest = harness.brings_all(None, name="Zoraida Quint")["id"]
    harness.goes_on_to_the_end()
    assert forget(harness, clerk=guest).json()["erased"] == 1
    assert groups(harness, "zoraida") == {}


def test_who_is_meant_is_said_in_one_way(harness: HttpHarness) -> None:
    for body in ({}, {"customer": "zora", "email": "zoraida@quint.example"}):
        refused = forget(harness, **body)
        assert (refused.status_code, "exactly one of" in refused.json()["detail"]) == (422, True)


def test_S9_who_is_no_admin_forgets_nobody_and_the_attempt_is_written_down(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    assert forget(harness, "op_day", customer="zora").status_code == 403
    assert harness.session(clerk)["customer"]["name"] == PERSON["name"]
    [line] = read(harness, "audit?action=forget")["data"]
    assert line["outcome"] == "forbidden"


def test_on_the_customers_page_an_admin_sees_what_goes_and_what_stays_and_forgets(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    act(harness, clerk, "note", reason="has called", key="op_desk")
    admin = BrowserClient(harness).logged_in("admin")
    text = admin.text(PAGE)
    for words in ("Takes the person out of 1 order;", "Goes: name, e-mail, address", "Stays:", "as the books",
                  "until `clerk forget-customer` erases them there", "1 line of the audit"):  # fmt: skip
        assert words in text, words
    assert forget_on_page(admin, reason=" ").status_code == 422
    assert harness.session(clerk)["customer"]["name"] == PERSON["name"]
    done = forget_on_page(admin)
    assert done.status_code == 200 and "Erased in 1 of 1 order" in visible_text_of(done.text)
    assert harness.session(clerk)["customer"]["name"] is None and groups(harness, "zoraida") == {}
    assert "nothing is left to erase here" in admin.text(PAGE)
    [line] = read(harness, "audit?action=forget")["data"]
    assert (line["target"], line["reason"], line["outcome"]) == ("customer:zora", "request 17", "done")


def test_on_the_customers_page_it_is_said_which_order_is_still_under_way_and_what_was_typed_stays(
    harness: HttpHarness,
) -> None:
    zoraidas_order(harness)
    admin = BrowserClient(harness).logged_in("admin")
    admin.get(PAGE)
    running = harness.opened(SERVER, customer="zora")["id"]
    refused = forget_on_page(admin, reason="request 17, by letter")
    text = visible_text_of(refused.text)
    assert refused.status_code == 409 and f"Nothing was done. Still under way: {running}" in text
    assert "request 17, by letter" in refused.text
    text = admin.text(PAGE)
    assert "not now" in text and f"Still under way: {running}" in text and "Stays:" not in text


def test_S9_on_the_customers_page_nobody_else_is_offered_it(harness: HttpHarness) -> None:
    clerk = zoraidas_order(harness)
    operator = BrowserClient(harness).logged_in("operator")
    assert "orgotten" not in operator.text(PAGE) and forget_on_page(operator).status_code == 403
    assert harness.session(clerk)["customer"]["name"] == PERSON["name"]


def forget_on_page(browser: BrowserClient, reason: str = "request 17") -> httpx.Response:
    return browser.post(f"{PAGE}/forget", reason=reason)
