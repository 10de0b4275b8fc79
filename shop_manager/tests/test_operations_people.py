"""People, keys, saved views and the export of the list (dashboard.md, Roles; security S2, S9, S10)."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import httpx
import pytest

from doors.keys import KeyRing
from doors.operators import Operators
from shop_manager.operations import export
from shop_manager.tests.house import SERVER, House
from shop_manager.tests.test_operations_acts import DAY, WHY
from shop_manager.tests.test_operations_bulk import BOSS
from shop_manager.tests.test_ops import OPERATOR as VIEWER
from shop_manager.tests.test_ops import read, stuck_one


def post(house: House, path: str, key: str = BOSS, **body: Any) -> httpx.Response:
    return house.call("POST", f"/ops/{path}", key, json={"reason": WHY, **body})


def added(house: House, name: str, role: str = "operator") -> dict[str, Any]:
    answered = post(house, "people", name=name, role=role)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    return found


def operators(house: House) -> Operators:
    return Operators(KeyRing(house.database))


def test_a_person_is_added_with_a_password_and_a_key_that_are_seen_once(house: House) -> None:
    ada = added(house, "ada")
    assert operators(house).check_password("ada", ada["password"])
    holder = KeyRing(house.database).check(ada["key"])
    assert holder and (holder.name, holder.role) == ("ada", "operator")
    listed = house.get("/ops/people", BOSS).text
    assert '"ada"' in listed and ada["key"] not in listed and ada["password"] not in listed
    assert ada["key"] not in house.get("/ops/audit", BOSS).text
    again = post(house, "people", name="ada", role="admin")
    assert (again.status_code, again.json()["code"]) == (409, "not_allowed_now")


def test_another_role_counts_for_the_key_too(house: House) -> None:
    added(house, "root", "admin")
    ada = added(house, "ada")
    assert post(house, "people/ada/actions", action="role", role="viewer").json()["role"] == "viewer"
    holder = KeyRing(house.database).check(ada["key"])
    assert holder and holder.role == "viewer"
    line = read(house, "audit?target=person:ada&action=person_role")["data"][0]
    assert (line["before"], line["after"], line["reason"]) == ({"role": "operator"}, {"role": "viewer"}, WHY)


def test_a_disabled_person_can_do_nothing_until_renewed(house: House) -> None:
    added(house, "root", "admin")
    ada = added(house, "ada")
    assert post(house, "people/ada/actions", action="disable").json()["disabled"] is True
    people = operators(house)
    assert people.check_password("ada", ada["password"]) is None and people.find("ada") is None
    assert KeyRing(house.database).check(ada["key"]) is None
    renewed = post(house, "people/ada/actions", action="renew").json()
    assert operators(house).check_password("ada", renewed["password"])
    assert KeyRing(house.database).check(renewed["key"]) and KeyRing(house.database).check(ada["key"]) is None


@pytest.mark.parametrize("body", [{"action": "disable"}, {"action": "role", "role": "viewer"}])
def test_the_last_admin_stays_one(house: House, body: dict[str, Any]) -> None:
    added(house, "root", "admin")
    assert post(house, "people/root/actions", **body).status_code == 409
    added(house, "second", "admin")
    assert post(house, "people/root/actions", **body).status_code == 200


def test_a_key_is_made_shown_once_and_revoked(house: House) -> None:
    made = post(house, "keys", scope="server", name="webshop").json()
    assert KeyRing(house.database).check(made["key"])
    listed = house.get("/ops/keys", BOSS)
    assert listed.json()["data"][0]["name"] == "webshop" and made["key"] not in listed.text
    for _ in range(2):
        assert post(house, f"keys/{made['id']}/actions", action="revoke").json() == {"id": made["id"], "revoked": True}
    assert KeyRing(house.database).check(made["key"]) is None
    person = added(house, "ada")["key"].split("_")[1]
    assert post(house, f"keys/{person}/actions", action="revoke").status_code == 404


@pytest.mark.parametrize("path", ["people", "people/ada/actions", "keys", "keys/abc/actions"])
def test_S9_people_and_keys_are_for_admins_and_attempts_are_written_down(house: House, path: str) -> None:
    assert post(house, path, DAY).status_code == 403
    [line] = read(house, "audit?who=day")["data"]
    assert (line["outcome"], line["role"]) == ("forbidden", "operator")


@pytest.mark.parametrize(
    "body", [{"action": "role"}, {"action": "disable", "role": "admin"}, {"action": "role", "role": "king"}]
)
def test_what_makes_no_sense_for_a_person_is_422(house: House, body: dict[str, Any]) -> None:
    added(house, "ada")
    assert post(house, "people/ada/actions", **body).status_code == 422


def test_views_are_saved_by_name_for_each_operator(house: House) -> None:
    def save(key: str, name: str, query: str) -> None:
        assert house.call("POST", "/ops/views", key, json={"name": name, "query": query}).status_code == 200

    save(VIEWER, "my stuck ones", "stuck=true")
    save(VIEWER, "my stuck ones", "stuck=true&kind=overdue")
    save(DAY, "mine", "status=open")
    assert read(house, "views")["data"] == [{"name": "my stuck ones", "query": "stuck=true&kind=overdue"}]
    assert house.call("DELETE", "/ops/views/mine", VIEWER).status_code == 404
    assert house.call("DELETE", "/ops/views/my%20stuck%20ones", VIEWER).status_code == 204
    assert read(house, "views")["data"] == []


def test_the_list_is_exported_as_it_is_filtered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop_manager.api_ops.PAGE", 1)
    stuck = {stuck_one(house), stuck_one(house)}
    house.opened(SERVER)
    table = list(csv.DictReader(StringIO(house.get("/ops/clerks.csv?stuck=true", VIEWER).text)))
    assert {row["id"] for row in table} == stuck
    assert {(row["stuck_kind"], row["total"], row["customer"]) for row in table} == {("no_answer", "2590", "ada")}
    assert {line["id"] for line in read(house, "clerks.json?stuck=true")["data"]} == stuck
    assert read(house, "clerks.json?kind=overdue") == {"data": []}
    monkeypatch.setattr(export, "MOST", 1)
    assert len(read(house, "clerks.json")["data"]) == 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_S10_a_formula_in_the_export_is_only_text(house: House, name: str) -> None:
    house.call("PUT", f"/shop/customers/{name}", SERVER, json={"name": "x", "email": "a@b.example", "type": "regular"})
    house.opened(SERVER, customer=name)
    [row] = csv.DictReader(StringIO(house.get("/ops/clerks.csv", VIEWER).text))
    assert row["customer"] == f"'{name}"
