"""The credentials of `clerk up`, and `clerk operator`: shown once, and known to those who check them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerk_cli.credentials import admit, new_credentials
from clerk_cli.main import run
from clerk_cli.services import Service, the_service
from clerk_cli.tests.databases import made
from http_api.keys import KeyRing
from http_api.operators import Operators
from http_api.tests.access_keys import revoke_key
from messaging.database import Database
from shop_manager.operations.audit import read_audit


def test_a_new_operator_has_a_password_and_a_key_of_the_role(
    data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    nora = made(capsys, "operator", "add", "nora", "--role", "viewer", "--data", str(data))
    assert list(nora) == ["name", "role", "password", "key"]
    ring = KeyRing(databases[the_service("shop_manager")])
    found = Operators(ring).check_password("nora", nora["password"])
    assert found is not None
    assert found.role == "viewer"
    holder = ring.check(nora["key"])
    assert holder is not None
    assert holder.role == "viewer"


def test_a_viewer_of_a_screen_on_a_wall_stays_logged_in_and_nobody_else_may(
    data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    wall = made(capsys, "operator", "add", "wall", "--role", "viewer", "--long", "--data", str(data))
    home = databases[the_service("shop_manager")]
    found = Operators(KeyRing(home)).check_password("wall", wall["password"])
    assert found is not None and found.long
    for role in ("operator", "admin"):
        assert run(["operator", "add", "nora", "--role", role, "--long", "--data", str(data)]) == 2
        assert f"--long is for --role viewer only, and this is --role {role}" in capsys.readouterr().err
    with home.read() as tx:
        [line] = read_audit(tx, {}, 10, None)
    assert line["after"] == {"role": "viewer", "stays_logged_in": True}


def test_S2_the_key_opens_nothing_until_the_first_password_is_changed_and_that_of_up_opens_at_once(
    data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    nora = made(capsys, "operator", "add", "nora", "--role", "viewer", "--data", str(data))
    credentials = new_credentials()
    admit(credentials, databases)
    ring = KeyRing(databases[the_service("shop_manager")], people=True)
    hers, of_up = ring.check(nora["key"]), ring.check(credentials.operator_key)
    assert hers is not None and hers.must_change
    assert of_up is not None and not of_up.must_change


def test_S9_who_was_added_on_the_command_line_is_in_the_audit(
    data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    nora = made(capsys, "operator", "add", "nora", "--role", "viewer", "--data", str(data))
    again = made(capsys, "operator", "add", "nora", "--role", "admin", "--data", str(data))
    with databases[the_service("shop_manager")].read() as tx:
        renewed, added = read_audit(tx, {"target": "person:nora"}, 10, None)
    for line in (added, renewed):
        assert (line["who"], line["outcome"]) == ("command line", "done")
        assert not any(secret in str(line) for each in (nora, again) for secret in (each["password"], each["key"]))
    assert (added["action"], added["before"], added["after"]) == ("person_add", None, {"role": "viewer"})
    assert (renewed["action"], renewed["before"], renewed["after"]) == (
        "person_renew", {"role": "viewer"}, {"role": "admin"})  # fmt: skip


def test_S9_a_refused_addition_leaves_no_line(
    data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys, "operator", "add", "Nora", "--role", "viewer", "--data", str(data))
    assert run(["operator", "add", "NORA", "--role", "admin", "--data", str(data)]) == 2
    with databases[the_service("shop_manager")].read() as tx:
        assert len(read_audit(tx, {}, 10, None)) == 1


def test_a_name_that_cannot_be_one_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["operator", "add", "two words", "--role", "admin", "--data", str(data)]) == 2
    assert "operator name 'two words'" in capsys.readouterr().err


def test_the_credentials_of_up_are_known_to_every_service_and_stay_when_admitted_again(
    databases: dict[Service, Database],
) -> None:
    credentials = new_credentials()
    admit(credentials, databases)
    admit(credentials, databases)
    for service, database in databases.items():
        ring = KeyRing(database)
        assert ring.check(credentials.server_key) is not None
        assert ring.check(credentials.warehouse_key) is not None
        assert (ring.check(credentials.operator_key) is not None) == (service.name == "shop_manager")


def test_a_revoked_key_of_up_stays_revoked(databases: dict[Service, Database]) -> None:
    credentials = new_credentials()
    admit(credentials, databases)
    ring = KeyRing(databases[the_service("shop")])
    assert ring.check(credentials.server_key) is not None
    revoke_key(ring, credentials.server_key)
    admit(credentials, databases)
    assert ring.check(credentials.server_key) is None


def test_an_admin_of_up_that_was_disabled_or_has_a_new_password_stays_so(databases: dict[Service, Database]) -> None:
    credentials = new_credentials()
    admit(credentials, databases)
    people = Operators(KeyRing(databases[the_service("shop_manager")]))
    password, _ = people.add_operator(credentials.operator_name, "admin")
    admit(credentials, databases)
    assert people.check_password(credentials.operator_name, password)
    assert people.check_password(credentials.operator_name, credentials.operator_password) is None


@pytest.mark.parametrize(
    "command", [["operator", "add", "nora", "--role", "admin"], ["key", "create", "--scope", "server"]]
)
def test_where_no_shop_is_nothing_is_made(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--data", str(tmp_path / "nowhere")]) == 2
    assert "there is no shop" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
