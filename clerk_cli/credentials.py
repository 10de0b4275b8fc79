"""The credentials in `clerk up`'s data folder, and the operators that `clerk operator` makes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clerk_cli.access_keys import WHO, show_once
from clerk_cli.data_folder import Credentials
from clerk_cli.databases import database_errors_reported, opened_shop
from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.services import Service, the_service
from domain.messages import SHOP_MANAGER
from http_api.keys import KeyRing, Role, new_key
from messaging.database import Database, Tx
from shop_manager.operations.audit import AuditLine, record

if TYPE_CHECKING:
    from http_api.operators import Operator, Operators


def new_credentials() -> Credentials:
    """New random credentials, for a new data folder."""
    return Credentials(
        server_key=new_key("server"),
        warehouse_key=new_key("warehouse"),
        operator_name="admin",
        operator_password=secrets.token_urlsafe(18),
        operator_key=new_key("operator"),
    )


def admit(credentials: Credentials, databases: Mapping[Service, Database]) -> None:
    """Make the credentials known to every service; those that are known already stay as they are, revoked ones too."""
    for service, database in databases.items():
        ring = KeyRing(database)
        for key, name in ((credentials.server_key, "clerk up"), (credentials.warehouse_key, "clerk up")):
            if not ring.has(key):
                ring.put(key, name)
        if service.name == SHOP_MANAGER and not ring.has(credentials.operator_key):
            _operators(ring).put_operator(
                credentials.operator_name, "admin", credentials.operator_password, credentials.operator_key
            )


class NewOperator(NamedTuple):
    """An operator who is wished for; `long` ones stay logged in."""

    name: str
    role: Role
    long: bool = False


def run_add_operator(wanted: NewOperator, database: str | None, data: Path | None, as_json: bool) -> None:
    """Make an operator at ShopManager, the only service that knows operators, and print password and key."""

    name, role = wanted.name, wanted.role
    if wanted.long and role != "viewer":
        raise CliError(f"--long is for --role viewer only, and this is --role {role}: who acts logs in each day")

    def write_down(tx: Tx, before: Operator | None) -> None:
        was = None if before is None else {"role": before.role}
        action = "person_add" if before is None else "person_renew"
        after = {"role": role, **({"stays_logged_in": True} if wanted.long else {})}
        record(tx, WHO, AuditLine(action, f"person:{name}", before=was, after=after), tx.now())

    service = the_service(SHOP_MANAGER)
    with opened_shop(database, data, [service]) as databases:
        operators = _operators(KeyRing(databases[SHOP_MANAGER]))
        with database_errors_reported(service), value_errors_reported():
            password, key = operators.add_operator(name, role, must_change=True, long=wanted.long, also=write_down)
    show_once({"name": name, "role": role, "password": password, "key": key}, as_json)


def _operators(ring: KeyRing) -> Operators:
    from http_api.operators import Operators  # noqa: PLC0415  # hashes a password on import: too slow for each start

    return Operators(ring)
