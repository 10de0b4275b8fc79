"""`clerk key create`, `list` and `revoke`: past the services, in all their databases, and written into the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from clerk_cli.main import run
from clerk_cli.services import NAMES, Service, the_service
from clerk_cli.tests.databases import made
from domain.times import from_wire
from http_api.keys import KeyRing, new_key
from messaging.database import Database
from shop_manager.operations.audit import read_audit

Databases = dict[Service, Database]


def audit(databases: Databases, action: str) -> list[dict[str, Any]]:
    with databases[the_service("shop_manager")].read() as tx:
        return read_audit(tx, {"action": action}, 10, None)


def opens(databases: Databases, key: str) -> set[str]:
    """The services whose own database says that it is good."""
    return {service.name for service, database in databases.items() if KeyRing(database).check(key)}


@pytest.mark.parametrize("scope", ["server", "warehouse", "monitoring"])
def test_a_new_key_is_known_to_every_service(
    scope: str, data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(capsys, "key", "create", "--scope", scope, "--data", str(data))
    assert key == {"id": key["key"].split("_")[1], "scope": scope, "name": "clerk key create", "expires_at": None,
                   "key": key["key"]}  # fmt: skip
    for database in databases.values():
        holder = KeyRing(database).check(key["key"])
        assert holder is not None
        assert holder.scope == scope


def test_a_key_has_a_name_and_expires_at_all_services_in_the_same_moment(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    made_key = made(
        capsys, "key", "create", "--scope", "server", "--name", "webshop", "--expires-in", "90", "--data", str(data)
    )
    holders = [KeyRing(database).check(made_key["key"]) for database in databases.values()]
    assert len(set(holders)) == 1 and holders[0] is not None
    assert (holders[0].name, holders[0].expires_at) == ("webshop", from_wire(made_key["expires_at"]))
    [line] = made(capsys, "key", "list", "--data", str(data))
    assert from_wire(line["expires_at"]) - from_wire(line["created_at"]) == 90 * 86_400_000


def test_a_key_expires_at_a_moment(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moment = "2031-01-31T12:00:00+01:00"
    made_key = made(capsys, "key", "create", "--scope", "server", "--expires-at", moment, "--data", str(data))
    assert made_key["expires_at"] == "2031-01-31T11:00:00.000Z"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--expires-at", "2020-01-01T00:00:00Z"], "in the future"),
        (["--expires-at", "tomorrow"], "RFC 3339"),
        (["--expires-at", "2031-01-01T00:00:00Z", "--expires-in", "3"], "not both"),
        (["--expires-in", "0"], "--expires-in"),
        (["--name", " "], "--name has 1 to 128"),
        (["--name", "x" * 129], "--name has 1 to 128"),
        (["--name", "web\udcffshop"], "--name has 1 to 128"),
    ],
)
def test_what_makes_no_sense_makes_no_key(
    flags: list[str], says: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["key", "create", "--scope", "server", *flags, "--data", str(data)]) == 2
    assert says in capsys.readouterr().err
    assert made(capsys, "key", "list", "--data", str(data)) == []


def test_S2_a_key_that_is_revoked_on_the_command_line_is_revoked_in_every_database(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--scope", "server", "--name", "webshop", "--data", str(data))
    old, new = made(capsys, "key", "create", *flags), made(capsys, "key", "create", *flags)
    assert opens(databases, old["key"]) == opens(databases, new["key"]) == set(NAMES), "two of one name are good"
    found = made(capsys, "key", "revoke", old["id"], "--reason", "rotated", "--data", str(data))
    assert found == {"id": old["id"], "revoked": True, "services": dict.fromkeys(NAMES, "revoked")}
    assert opens(databases, old["key"]) == set()
    assert opens(databases, new["key"]) == set(NAMES)
    lines = {line["id"]: line for line in made(capsys, "key", "list", "--data", str(data))}
    assert lines[old["id"]]["revoked_at"] is not None
    assert lines[new["id"]]["revoked_at"] is None
    again = made(capsys, "key", "revoke", old["id"], "--data", str(data))
    assert again["services"] == dict.fromkeys(NAMES, "was revoked before")


def test_S9_what_the_command_line_does_to_keys_is_in_the_audit(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(capsys, "key", "create", "--scope", "server", "--name", "webshop", "--data", str(data))
    made(capsys, "key", "revoke", key["id"], "--reason", "found in a log", "--data", str(data))
    [created], [revoked] = audit(databases, "key_create"), audit(databases, "key_revoke")
    for line in (created, revoked):
        assert (line["who"], line["target"], line["outcome"]) == ("command line", f"key:{key['id']}", "done")
    assert created["after"] == {"scope": "server", "name": "webshop", "expires_at": None}
    assert revoked["reason"] == "found in a log"
    assert key["key"] not in str(created)


def test_a_key_that_is_revoked_where_one_database_cannot_be_reached_is_revoked_at_the_others(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(capsys, "key", "create", "--scope", "server", "--data", str(data))
    databases[the_service("risk")].close()
    for file in data.glob("risk.db*"):
        file.rename(data / f"away-{file.name}")
    found = made(capsys, "key", "revoke", key["id"], "--data", str(data), code=1)
    assert found["revoked"] is False
    assert found["services"].pop("risk").startswith("NOT revoked here: there is no shop")
    assert set(found["services"].values()) == {"revoked"}
    for file in data.glob("away-risk.db*"):
        file.rename(data / file.name.removeprefix("away-"))
    found = made(capsys, "key", "revoke", key["id"], "--data", str(data))
    assert (found["services"]["risk"], found["services"]["shop"]) == ("revoked", "was revoked before")


def test_a_list_shows_when_a_key_was_used_last_and_never_the_key(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(capsys, "key", "create", "--scope", "warehouse", "--name", "dock 3", "--data", str(data))
    [line] = made(capsys, "key", "list", "--data", str(data))
    assert set(line) == {"id", "scope", "role", "name", "created_at", "expires_at", "last_used_at", "revoked_at"}
    assert line["last_used_at"] is None
    ring = KeyRing(databases[the_service("shop_manager")])
    assert ring.check(key["key"])
    assert run(["key", "list", "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert key["key"].rpartition("_")[2] not in shown
    [line] = made(capsys, "key", "list", "--data", str(data))
    for text in (key["id"], "warehouse", "dock 3", line["last_used_at"]):
        assert text in shown


def test_a_name_in_the_list_steers_no_terminal(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys, "key", "create", "--scope", "server", "--data", str(data))
    ring = KeyRing(databases[the_service("shop_manager")])
    with ring.database.begin() as tx:
        tx.execute(update(ring.tables.keys).values(name="\x1b[31mred"))
    assert run(["key", "list", "--data", str(data)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_an_operators_key_may_be_revoked_too(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    nora = made(capsys, "operator", "add", "nora", "--role", "admin", "--data", str(data))
    found = made(capsys, "key", "revoke", nora["key"].split("_")[1], "--data", str(data))
    assert found["services"] == dict.fromkeys(NAMES, "revoked")
    assert opens(databases, nora["key"]) == set()


def test_S2_a_key_that_only_shop_manager_knows_is_barred_at_the_others(
    data: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key("server")
    KeyRing(databases[the_service("shop_manager")]).put(key, "made on the dashboard")
    found = made(capsys, "key", "revoke", key.split("_")[1], "--data", str(data))
    assert found["services"] == dict.fromkeys(NAMES, "revoked")
    for database in databases.values():
        ring = KeyRing(database)
        assert ring.has(key) and ring.check(key) is None
        ring.put(key, "again")
        assert ring.check(key) is None


def test_a_whole_key_is_no_id_and_is_not_repeated(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = made(capsys, "key", "create", "--scope", "server", "--data", str(data))
    assert run(["key", "revoke", key["key"], "--data", str(data)]) == 2
    said = capsys.readouterr().err
    assert key["id"] in said
    assert key["key"] not in said


@pytest.mark.parametrize(("wrong", "says"), [("abcdefghijkl", "no key has the id"), ("nonsense", "12 letters")])
def test_an_id_that_nobody_knows_is_told(wrong: str, says: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key", "revoke", wrong, "--data", str(data)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("command", [["list"], ["revoke", "abcdefghijkl"]])
def test_where_no_shop_is_nothing_is_done(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["key", *command, "--data", str(tmp_path / "nowhere")]) == 2
    assert "there is no shop" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
