"""`clerk forget-customer`: past the services, in their databases, while they run or not (docs/decisions/145)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import typer
from pydantic import ValidationError

from clerk_cli.access_keys import WHO
from clerk_cli.databases import database_errors_reported, opened_shop
from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.services import SERVICES, Service, the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.terminal import console, plain, print_json
from domain.messages import SHOP_MANAGER
from fulfillment_service.forgetting import forget_recipients
from messaging.database import Database
from messaging.parked import erase_bodies
from messaging.technical_tables import TechnicalTables
from shop_manager.engine.manager import Changed
from shop_manager.engine.search_index import SearchIndex
from shop_manager.operations.forgetting import NOT_FOUND, PORTION, ForgetAsk, Forgetting
from shop_manager.sessions.client_secrets import ClientSecrets
from shop_manager.sessions.search_fill import fill_state
from shop_manager.settings import ShopManagerSettings

SHIPS = "fulfillment"
OTHERS_HASHES = (
    "CLERK_SECRET is not the one that ShopManager works with, so names and addresses cannot be found in its search: "
    "set CLERK_SECRET or CLERK_SECRET_FILE as ShopManager has it"
)


class Offline(NamedTuple):
    """ShopManager's database, as it is without one that runs: nobody waits for changes here."""

    database: Database
    search: SearchIndex
    on_change: Callable[[Changed], None] = lambda clerks: None


OPTIONS = {"customer": "ID", "clerk": "--order", "email": "--email", "reason": "--reason"}
"""How the command line names the fields of ForgetAsk."""


def asked_to_forget(customer: str | None, email: str | None, order: str | None, reason: str) -> ForgetAsk:
    """CliError in one line, without what was typed."""
    try:
        return ForgetAsk(customer=customer, email=email, clerk=order, reason=reason)
    except ValidationError as error:
        first = error.errors()[0]
        said = str(first["msg"]).removeprefix("Value error, ")
        for field, option in OPTIONS.items():
            said = said.replace(f"`{field}`", option)
        where = "".join(f"{OPTIONS[str(field)]}: " for field in first["loc"][:1])
        raise CliError(where + said) from None


def run_forget_customer(asked: ForgetAsk, database: str | None, data: Path | None, as_json: bool) -> None:
    """Erase and print what came of it; typer.Exit 1 while an order is under way, or where something was not reached."""
    found = _in_shop_manager(asked, database, data)
    services = dict(_in_services(found["orders"], database, data))
    erased_everywhere = all(reached for _, reached in services.values())
    kept = {name: what for name, what in found["kept"].items() if name != SHIPS or not services[SHIPS][1]}
    outcome = {**found, "kept": kept, "services": {name: text for name, (text, _) in services.items()}}
    if as_json:
        print_json(outcome)
    else:
        _print(outcome)
    if not erased_everywhere:
        raise typer.Exit(1)


def _in_shop_manager(asked: ForgetAsk, database: str | None, data: Path | None) -> dict[str, Any]:
    home = the_service(SHOP_MANAGER)
    with opened_shop(database, data, [home]) as databases, database_errors_reported(home):
        kept = databases[home.name]
        search = _search(kept, home)
        found = Forgetting(Offline(kept, search)).forget(WHO, asked)
    if isinstance(found, dict):
        return found
    console().print(plain(f"nothing was erased: {found.detail}"))
    raise typer.Exit(1)


def _search(database: Database, home: Service) -> SearchIndex:
    """CliError when ShopManager's hashes come from another secret, or nobody can tell."""
    settings = cast(ShopManagerSettings, read_settings(home))
    with value_errors_reported():
        secrets = ClientSecrets(settings.secret, database)
    search = SearchIndex(secrets.hashed if secrets.find() else None)
    with database.look() as tx:
        state = fill_state(tx, search)
    if state == "unknown":
        raise CliError(NOT_FOUND[state])
    if state == "other":
        raise CliError(OTHERS_HASHES)
    return search


def _in_services(
    orders: Sequence[str], database: str | None, data: Path | None
) -> Iterator[tuple[str, tuple[str, bool]]]:
    """(service, (what came of it, was its database reached)) of each but ShopManager."""
    for service in SERVICES:
        if service.name == SHOP_MANAGER:
            continue
        try:
            with opened_shop(database, data, [service]) as databases, database_errors_reported(service):
                erased = _erase_in(service, databases[service.name], orders)
            yield service.name, (erased, True)
        except CliError as error:
            yield service.name, (f"NOT erased here: {error}", False)


def _erase_in(service: Service, database: Database, orders: Sequence[str]) -> str:
    technical: TechnicalTables = service.module("store").technical
    recipients = 0
    for start in range(0, len(orders), PORTION):
        some = orders[start : start + PORTION]
        with database.begin() as tx:
            erase_bodies(tx, technical.parked, some)
            recipients += forget_recipients(tx, some) if service.name == SHIPS else 0
    return f"erased in {recipients} parcels" if service.name == SHIPS else "has no name and no address"


def _print(outcome: Mapping[str, Any]) -> None:
    out = console()
    orders, erased = len(outcome["orders"]), outcome["erased"]
    if orders or outcome["customers"]:
        out.print(plain(f"{orders} orders, {erased} of them erased now"))
    else:
        out.print(plain("nothing is known of them here, or not any more"))
    for service, text in outcome["services"].items():
        out.print(plain(f"{service:13} {text}"))
    if outcome["audit_lines"]:
        out.print(plain(f"{outcome['audit_lines']} lines of the audit have reasons that operators have written"))
    for service, what in outcome["kept"].items():
        out.print(plain(f"kept by {service}: {what}", "dim"))
