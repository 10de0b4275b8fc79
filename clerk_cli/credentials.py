"""Keys and operators: those of `clerk up`'s data folder, and those that `clerk key` and `clerk operator` make."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clerk_cli.data_folder import Credentials
from clerk_cli.databases import opened_shop, trouble_of
from clerk_cli.errors import Trouble
from clerk_cli.services import SERVICES, Service, the_service
from clerk_cli.terminal import console, plain, print_json
from domain.messages import SHOP_MANAGER
from doors.keys import KeyRing, Role, Scope, new_key
from messaging.database import Database

if TYPE_CHECKING:
    from doors.operators import Operators


def new_credentials() -> Credentials:
    """Fresh random ones, for a shop of its own."""
    return Credentials(
        server_key=new_key("server"),
        warehouse_key=new_key("warehouse"),
        operator_name="admin",
        operator_password=secrets.token_urlsafe(18),
        operator_key=new_key("operator"),
    )


def admit(credentials: Credentials, databases: Mapping[Service, Database]) -> None:
    """Make the credentials known to every service; those that are known already stay as they are."""
    for service, database in databases.items():
        ring = KeyRing(database)
        for key, name in ((credentials.server_key, "clerk up"), (credentials.warehouse_key, "clerk up")):
            if ring.check(key) is None:
                ring.put(key, name)
        if service.name == SHOP_MANAGER and ring.check(credentials.operator_key) is None:
            _people(ring).put_operator(
                credentials.operator_name, "admin", credentials.operator_password, credentials.operator_key
            )


def run_create_key(scope: Scope, database: str | None, data: Path | None, as_json: bool) -> None:
    """Make a key, known to every service, and print it."""
    key = new_key(scope)
    with opened_shop(database, data) as databases:
        for service in SERVICES:
            with trouble_of(service):
                KeyRing(databases[service.name]).put(key, "clerk key create")
    _print({"scope": scope, "key": key}, as_json)


def run_add_operator(name: str, role: Role, database: str | None, data: Path | None, as_json: bool) -> None:
    """Make an operator at ShopManager, the only one who knows operators, and print password and key."""
    service = the_service(SHOP_MANAGER)
    with opened_shop(database, data, [service]) as databases, trouble_of(service):
        try:
            password, key = _people(KeyRing(databases[SHOP_MANAGER])).add_operator(name, role)
        except ValueError as error:
            raise Trouble(str(error)) from None
    _print({"name": name, "role": role, "password": password, "key": key}, as_json)


def _people(ring: KeyRing) -> Operators:
    from doors.operators import Operators  # noqa: PLC0415  # hashes a password on import: too slow for each start

    return Operators(ring)


def _print(content: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(content)
        return
    for name, value in content.items():
        console().print(plain(f"{name:9} {value}"))
    console().print(plain("Keep it safe: it is not shown again.", "dim"))
