"""Whose an Idempotency-Key is: of one access key, or of a guest who cannot be guessed (security S1, I13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import event, select

from http_api.principals import Principal
from shop_manager.engine import tables
from shop_manager.sessions import idempotency
from shop_manager.tests.http_harness import ITEMS, SERVER, HttpHarness

STRONG = "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6"
GUESSED = "order-1"


def opens(harness: HttpHarness, key: str, who: str | None = None, **body: Any) -> httpx.Response:
    return harness.call("POST", "/shop/session", who, json=body, headers={"Idempotency-Key": key, "Request-Id": "r"})


@contextmanager
def statements(harness: HttpHarness) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(harness.database.engine, "before_cursor_execute", hear)
    yield said
    event.remove(harness.database.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("who", [None, "cs_invented"])
def test_S1_a_guests_key_that_can_be_guessed_is_refused_before_anything_is_looked_up(
    harness: HttpHarness, who: str | None
) -> None:
    with harness.database.begin() as tx:  # what a version before this one answered to somebody else
        request = idempotency.request_of(Principal("nobody"), "POST", "/shop/session", GUESSED, {})
        idempotency.keep(tx, {request: idempotency.SavedResponse("clk_1", {"id": "clk_1"})}, tx.now())
    with statements(harness) as said:
        answers = [opens(harness, key, who, **body) for key in (GUESSED, "order-2") for body in ({}, {"items": ITEMS})]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(422, "weak_idempotency_key")}
    assert len({each.text for each in answers}) == 1  # used or not, with the first body or another
    told = answers[0].json()
    assert told["param"] == "Idempotency-Key" and "22" in told["detail"] and "UUID" in told["detail"]
    assert said == []


def test_S1_a_guest_with_a_key_that_cannot_be_guessed_gets_the_same_session_again(harness: HttpHarness) -> None:
    first, again = opens(harness, STRONG), opens(harness, STRONG)
    assert again.json() == first.json() and again.headers["idempotent-replayed"] == "true"
    other = opens(harness, STRONG, items=ITEMS)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert opens(harness, STRONG, first.json()["client_secret"]).json()["id"] != first.json()["id"]


def test_an_access_key_may_use_any_key(harness: HttpHarness) -> None:
    for who in (SERVER, "wk_hall", "op_night"):
        assert opens(harness, "1", who).status_code == 201


def test_S1_a_key_belongs_to_one_access_key_also_where_two_have_the_same_name(harness: HttpHarness) -> None:
    mine, twin, other = (opens(harness, GUESSED, who).json() for who in (SERVER, "sk_twin", "sk_other"))
    assert len({mine["id"], twin["id"], other["id"]}) == 3
    assert opens(harness, GUESSED, "sk_twin", items=ITEMS).json()["code"] == "idempotency_conflict"
    assert opens(harness, GUESSED, "sk_twin").json() == twin


def test_S1_no_other_access_key_learns_that_somebody_used_a_key(harness: HttpHarness) -> None:
    opens(harness, GUESSED, SERVER)
    assert opens(harness, GUESSED, "sk_twin", items=ITEMS).status_code == 201


def as_before(harness: HttpHarness, key: str) -> dict[str, Any]:
    """A session that a process answered which knew access keys by their names; it may be running still."""
    opened: dict[str, Any] = opens(harness, key, SERVER).json()
    with harness.database.begin() as tx:
        row = tx.execute(select(tables.idempotency)).one()._asdict()
        tx.execute(tables.idempotency.delete())
        former = idempotency.request_of(Principal("server", name="shop", key_id="a"), "POST", "/shop/session", key, {})
        tx.insert(tables.idempotency, [{**row, "scope": former.former_scope}])
    return opened


def test_what_was_answered_before_the_upgrade_is_not_done_twice_after_it(harness: HttpHarness) -> None:
    before = as_before(harness, GUESSED)
    again = opens(harness, GUESSED, SERVER)
    assert again.json() == before and again.headers["idempotent-replayed"] == "true"


def test_S1_of_before_the_upgrade_nobody_is_told_that_a_key_was_used(harness: HttpHarness) -> None:
    before = as_before(harness, GUESSED)
    fresh = opens(harness, GUESSED, "sk_twin", items=ITEMS)
    assert fresh.status_code == 201 and fresh.json()["id"] != before["id"]
    assert opens(harness, GUESSED, "sk_twin", items=ITEMS).json() == fresh.json()


def test_the_former_scope_is_the_one_that_was_used() -> None:
    who = Principal("server", name="shop", key_id="a")
    request = idempotency.request_of(who, "POST", "/shop/session", "k", {})
    assert request.former_scope == idempotency._sha256(orjson.dumps(["server", "shop", "POST", "/shop/session"]))
    assert request.scope == idempotency._sha256(orjson.dumps(["server", "a", "POST", "/shop/session"]))
