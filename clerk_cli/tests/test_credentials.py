"""`clerk key` and `clerk operator`: shown once, and known to those who check them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import files_in, opened
from clerk_cli.main import run
from clerk_cli.services import SERVICES, Service, the_service
from doors.keys import KeyRing
from doors.operators import Operators
from messaging.database import Database


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A data folder with migrated databases."""
    assert run(["migrate", "--data", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def databases(data: Path) -> Iterator[dict[Service, Database]]:
    with opened(dict.fromkeys(SERVICES, files_in(data))) as databases:
        yield databases


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


@pytest.mark.parametrize("scope", ["server", "warehouse"])
def test_a_new_key_is_known_to_every_service(
    scope: str, data: Path, databases: dict[Service, Database], capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(capsys, "key", "create", "--scope", scope, "--data", str(data))
    assert set(key) == {"scope", "key"}
    for database in databases.values():
        holder = KeyRing(database).check(key["key"])
        assert holder is not None
        assert holder.scope == scope


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
    holder = ring.check(credentials.server_key)
    assert holder is not None
    ring.revoke(holder.key_id)
    admit(credentials, databases)
    assert ring.check(credentials.server_key) is None


@pytest.mark.parametrize(
    "command", [["operator", "add", "nora", "--role", "admin"], ["key", "create", "--scope", "server"]]
)
def test_where_no_shop_is_nothing_is_made(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--data", str(tmp_path / "nowhere")]) == 2
    assert "there is no shop" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
