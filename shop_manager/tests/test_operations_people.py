"""People, keys, saved views and the export of the list (security S2, S9, S10)."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import httpx
import pytest

from domain.times import days, to_wire
from http_api.keys import KeyRing
from http_api.operators import Operators
from shop_manager.operations import export
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_acts import DAY, WHY
from shop_manager.tests.test_operations_api import OPERATOR as VIEWER
from shop_manager.tests.test_operations_api import read, stuck_one
from shop_manager.tests.test_operations_bulk import BOSS


def post(harness: HttpHarness, path: str, key: str = BOSS, **body: Any) -> httpx.Response:
    return harness.call("POST", f"/ops/{path}", key, json={"reason": WHY, **body})


def added(harness: HttpHarness, name: str, role: str = "operator") -> dict[str, Any]:
    answered = post(harness, "people", name=name, role=role)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    return found


def operators(harness: HttpHarness) -> Operators:
    return Operators(KeyRing(harness.database))


def test_a_person_is_added_with_a_password_and_a_key_that_are_seen_once(harness: HttpHarness) -> None:
    ada = added(harness, "ada")
    assert operators(harness).check_password("ada", ada["password"])
    holder = KeyRing(harness.database).check(ada["key"])
    assert holder and (holder.name, holder.role) == ("ada", "operator")
    listed = harness.get("/ops/people", BOSS).text
    assert '"ada"' in listed and ada["key"] not in listed and ada["password"] not in listed
    assert ada["key"] not in harness.get("/ops/audit", BOSS).text
    again = post(harness, "people", name="ada", role="admin")
    assert (again.status_code, again.json()["code"]) == (409, "not_allowed_now")


def test_another_role_counts_for_the_key_too(harness: HttpHarness) -> None:
    added(harness, "root", "admin")
    ada = added(harness, "ada")
    assert post(harness, "people/ada/actions", action="role", role="viewer").json()["role"] == "viewer"
    holder = KeyRing(harness.database).check(ada["key"])
    assert holder and holder.role == "viewer"
    line = read(harness, "audit?target=person:ada&action=person_role")["data"][0]
    assert (line["before"], line["after"], line["reason"]) == ({"role": "operator"}, {"role": "viewer"}, WHY)


def test_a_disabled_person_can_do_nothing_until_renewed(harness: HttpHarness) -> None:
    added(harness, "root", "admin")
    ada = added(harness, "ada")
    assert post(harness, "people/ada/actions", action="disable").json()["disabled"] is True
    people = operators(harness)
    assert people.check_password("ada", ada["password"]) is None and people.find("ada") is None
    assert KeyRing(harness.database).check(ada["key"]) is None
    renewed = post(harness, "people/ada/actions", action="renew").json()
    assert operators(harness).check_password("ada", renewed["password"])
    assert KeyRing(harness.database).check(renewed["key"]) and KeyRing(harness.database).check(ada["key"]) is None


@pytest.mark.parametrize("body", [{"action": "disable"}, {"action": "role", "role": "viewer"}])
def test_the_last_admin_stays_one(harness: HttpHarness, body: dict[str, Any]) -> None:
    added(harness, "root", "admin")
    assert post(harness, "people/root/actions", **body).status_code == 409
    added(harness, "second", "admin")
    assert post(harness, "people/root/actions", **body).status_code == 200


def test_a_key_is_made_shown_once_and_revoked(harness: HttpHarness) -> None:
    made = post(harness, "keys", scope="server", name="webshop").json()
    assert KeyRing(harness.database).check(made["key"])
    listed = harness.get("/ops/keys", BOSS)
    assert listed.json()["data"][0]["name"] == "webshop" and made["key"] not in listed.text
    for _ in range(2):
        assert post(harness, f"keys/{made['id']}/actions", action="revoke").json() == {
            "id": made["id"],
            "revoked": True,
        }
    assert KeyRing(harness.database).check(made["key"]) is None
    person = added(harness, "ada")["key"].split("_")[1]
    assert post(harness, f"keys/{person}/actions", action="revoke").status_code == 404


@pytest.mark.parametrize("expiry", [{"expires_in_days": 90}, {"expires_at": "2030-06-01T00:00:00Z"}, {}])
def test_a_key_may_expire_and_the_list_and_the_audit_say_when(harness: HttpHarness, expiry: dict[str, Any]) -> None:
    with harness.database.read() as tx:
        in_90_days = to_wire(tx.now() + days(90))
    made = post(harness, "keys", scope="server", name="webshop", **expiry).json()
    expected = {"expires_in_days": in_90_days, "expires_at": "2030-06-01T00:00:00.000Z", "": None}["".join(expiry)]
    [listed] = [line for line in harness.get("/ops/keys", BOSS).json()["data"] if line["id"] == made["id"]]
    assert made["expires_at"] == listed["expires_at"] == expected
    assert read(harness, "audit?action=key_create")["data"][0]["after"]["expires_at"] == expected


@pytest.mark.parametrize(
    "expiry",
    [
        {"expires_in_days": 0},
        {"expires_in_days": 3651},
        {"expires_in_days": "30"},
        {"expires_in_days": True},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-23:59"},
        {"expires_at": "soon"},
        {"expires_at": "2030-06-01T00:00:00Z", "expires_in_days": 3},
    ],
)
def test_a_key_that_would_not_expire_in_the_future_is_not_made(harness: HttpHarness, expiry: dict[str, Any]) -> None:
    refused = post(harness, "keys", scope="server", name="webshop", **expiry)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert harness.get("/ops/keys", BOSS).json()["data"] == []


def test_the_list_of_keys_says_when_each_was_used_last(harness: HttpHarness) -> None:
    made = post(harness, "keys", scope="warehouse", name="hall").json()
    assert harness.get("/ops/keys", BOSS).json()["data"][0]["last_used_at"] is None
    assert harness.get("/keys/current", made["key"]).json()["name"] == "hall"
    line = harness.get("/ops/keys", BOSS).json()["data"][0]
    assert line["last_used_at"] >= line["created_at"]


@pytest.mark.parametrize("path", ["people", "people/ada/actions", "keys", "keys/abc/actions"])
def test_S9_people_and_keys_are_for_admins_and_attempts_are_written_down(harness: HttpHarness, path: str) -> None:
    assert post(harness, path, DAY).status_code == 403
    [line] = read(harness, "audit?who=day")["data"]
    assert (line["outcome"], line["role"]) == ("forbidden", "operator")


@pytest.mark.parametrize(
    "body", [{"action": "role"}, {"action": "disable", "role": "admin"}, {"action": "role", "role": "king"}]
)
def test_what_makes_no_sense_for_a_person_is_422(harness: HttpHarness, body: dict[str, Any]) -> None:
    added(harness, "ada")
    assert post(harness, "people/ada/actions", **body).status_code == 422


def test_views_are_saved_by_name_for_each_operator(harness: HttpHarness) -> None:
    def save(key: str, name: str, query: str) -> None:
        assert harness.call("POST", "/ops/views", key, json={"name": name, "query": query}).status_code == 200

    save(VIEWER, "my stuck ones", "stuck=true")
    save(VIEWER, "my stuck ones", "stuck=true&kind=overdue")
    save(DAY, "mine", "status=open")
    [view] = read(harness, "views")["data"]
    assert view == {"name": "my stuck ones", "query": "stuck=true&kind=overdue", "owner": "night", "shared": False}
    assert harness.call("DELETE", "/ops/views/mine", VIEWER).status_code == 404
    assert harness.call("DELETE", "/ops/views/my%20stuck%20ones", VIEWER).status_code == 204
    assert read(harness, "views")["data"] == []


def test_the_list_is_exported_as_it_is_filtered(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop_manager.operations.api.PAGE", 1)
    stuck = {stuck_one(harness), stuck_one(harness)}
    harness.opened(SERVER)
    table = list(csv.DictReader(StringIO(harness.get("/ops/clerks.csv?stuck=true", VIEWER).text)))
    assert {row["id"] for row in table} == stuck
    assert {(row["stuck_kind"], row["total"], row["customer"]) for row in table} == {("no_answer", "2590", "ada")}
    assert {line["id"] for line in read(harness, "clerks.json?stuck=true")["data"]} == stuck
    assert read(harness, "clerks.json?kind=overdue") == {"data": []}
    assert len(read(harness, "clerks.json")["data"]) == 3


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_S10_a_formula_in_the_export_is_only_text(harness: HttpHarness, name: str) -> None:
    harness.call(
        "PUT", f"/shop/customers/{name}", SERVER, json={"name": "x", "email": "a@b.example", "type": "regular"}
    )
    harness.opened(SERVER, customer=name)
    [row] = csv.DictReader(StringIO(harness.get("/ops/clerks.csv", VIEWER).text))
    assert row["customer"] == f"'{name}"


def test_S10_what_nobody_sees_is_shown_as_what_it_is_in_the_export() -> None:
    line = dict.fromkeys(export.COLUMNS) | {
        "stuck": None,
        "claim": None,
        "shop": "to\u200bys",
        "customer": "\ufeff=1+1",
        "step": "＝1",
    }
    line["process"] = "a\r\n\u2028b\x85"
    pages = {"data": [line], "next_cursor": None}
    [row] = csv.DictReader(StringIO(b"".join(export.as_csv(lambda _: pages)).decode(), newline=""))
    assert (row["shop"], row["customer"], row["step"]) == ("to⟨U+200B⟩ys", "⟨U+FEFF⟩=1+1", "'＝1")
    assert row["process"] == "a⟨U+000D⟩⟨U+000A⟩⟨U+2028⟩b⟨U+0085⟩"
