"""`clerk key create`, `list` and `revoke`: past the services, in their databases. What they do is in the audit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer
from rich.table import Table

from clerk_cli.databases import database_errors_reported, opened_shop
from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.services import SERVICES, the_service
from clerk_cli.terminal import console, grid, plain, print_json
from domain.messages import SHOP_MANAGER
from domain.times import to_wire
from http_api.keys import KeyRing, Scope, expiry, is_key, new_key
from http_api.principals import Principal
from shop_manager.operations.audit import AuditLine, record

WHO = Principal("operator", "admin", "command line")
"""As whom the command line writes into the audit. No operator can have this name: it has a blank."""
MOST = 10_000
"""Keys that are listed."""
LONGEST = 1000
"""Characters of a reason."""
_ID = re.compile(r"[a-z]{12}")


class NewKey(NamedTuple):
    """A key that is wished for. `days` and `at` (RFC 3339) say when it expires; never without either."""

    scope: Scope
    name: str
    days: int | None = None
    at: str | None = None


def run_create_key(wanted: NewKey, database: str | None, data: Path | None, as_json: bool) -> None:
    """Make a key, known to every service, and print it."""
    if not 1 <= len(wanted.name.strip()) <= 128 or not wanted.name.isprintable():
        raise CliError("--name has 1 to 128 printable characters")
    key = new_key(wanted.scope)
    with opened_shop(database, data) as databases:
        home = the_service(SHOP_MANAGER)
        with database_errors_reported(home), value_errors_reported():
            expires_at = _put_at_home(KeyRing(databases[home.name]), key, wanted)
        for service in SERVICES:
            if service != home:
                with database_errors_reported(service):
                    KeyRing(databases[service.name]).put(key, wanted.name, expires_at=expires_at)
    shown = None if expires_at is None else to_wire(expires_at)
    show_once(
        {"id": key.split("_")[1], "scope": wanted.scope, "name": wanted.name, "expires_at": shown, "key": key}, as_json
    )


def _put_at_home(ring: KeyRing, key: str, wanted: NewKey) -> int | None:
    """Into ShopManager's database, by whose time it expires; returns when."""
    with ring.database.begin() as tx:
        expires_at = expiry(tx.now(), in_days=wanted.days, at=wanted.at)
        key_id = ring.put_within(tx, key, wanted.name, expires_at=expires_at)
        until = None if expires_at is None else to_wire(expires_at)
        after = {"scope": wanted.scope, "name": wanted.name, "expires_at": until}
        record(tx, WHO, AuditLine("key_create", f"key:{key_id}", after=after), tx.now())
    return expires_at


def run_list_keys(database: str | None, data: Path | None, as_json: bool) -> None:
    """Print the keys that ShopManager knows: its database says which are good."""
    home = the_service(SHOP_MANAGER)
    with opened_shop(database, data, [home]) as databases, database_errors_reported(home):
        ring = KeyRing(databases[home.name])
        with ring.database.read() as tx:
            lines = ring.listed(tx, MOST)
    if as_json:
        print_json(lines)
        return
    console().print(_table(lines) if lines else plain("no keys", "dim"))


def _table(lines: list[dict[str, Any]]) -> Table:
    table = grid("id", "scope", "name", "created", "expires", "last used", "revoked")
    for line in lines:
        moments = [line[name] or "" for name in ("created_at", "expires_at", "last_used_at", "revoked_at")]
        scope = f"{line['scope']} ({line['role']})" if line["role"] else line["scope"]
        texts = [line["id"], scope, line["name"], *moments]
        table.add_row(*(plain(text, "dim" if line["revoked_at"] else "") for text in texts))
    return table


def run_revoke_key(key_id: str, reason: str, database: str | None, data: Path | None, as_json: bool) -> None:
    """Revoke it in every database, also where it is not known yet, and print for each service what came of it.

    typer.Exit 1 when a database could not be reached, CliError when none could be or no service knows the key.
    """
    _check_id(key_id)
    if len(reason) > LONGEST or not reason.isprintable():
        raise CliError(f"--reason has at most {LONGEST} characters, all printable")
    found = dict(_revoke_everywhere(key_id, reason.strip(), database, data))
    reached = [outcome for outcome, reached in found.values() if reached]
    if not reached:
        raise CliError(found[SHOP_MANAGER][0])
    if len(reached) == len(found) and set(reached) == {"unknown"}:
        raise CliError(f"no key has the id {key_id}: `clerk key list` shows them")
    everywhere = len(reached) == len(found)
    outcomes = {service: outcome for service, (outcome, _) in found.items()}
    if as_json:
        print_json({"id": key_id, "revoked": everywhere, "services": outcomes})
    else:
        for service, outcome in outcomes.items():
            console().print(plain(f"{service:13} {outcome}"))
    if not everywhere:
        raise typer.Exit(1)


def _check_id(text: str) -> None:
    if is_key(text):
        raise CliError(f"that is a whole key, which is a secret: name its id, {text.split('_')[1]}")
    if not _ID.fullmatch(text):
        raise CliError(f"id {text[:40]!r}: a key's id has 12 letters, `clerk key list` shows them")


def _revoke_everywhere(
    key_id: str, reason: str, database: str | None, data: Path | None
) -> Iterator[tuple[str, tuple[str, bool]]]:
    """(service, (what came of it, was its database reached)) of each service, ShopManager first."""
    row: dict[str, Any] | None = None
    for service in SERVICES:
        try:
            with opened_shop(database, data, [service]) as databases, database_errors_reported(service):
                ring = KeyRing(databases[service.name])
                with ring.database.begin() as tx:
                    row = row or ring.row_within(tx, key_id)
                    revoked = row is not None and ring.bar_within(tx, row)
                    if row is not None and service.name == SHOP_MANAGER:
                        record(tx, WHO, AuditLine("key_revoke", f"key:{key_id}", reason=reason), tx.now())
            outcome = "revoked" if revoked else "was revoked before" if row else "unknown"
            yield service.name, (outcome, True)
        except CliError as error:
            yield service.name, (f"NOT revoked here: {error}", False)


def show_once(content: dict[str, Any], as_json: bool) -> None:
    """Print what has a secret in it."""
    if as_json:
        print_json(content)
        return
    for name, value in content.items():
        if value is not None:
            console().print(plain(f"{name:10} {value}"))
    console().print(plain("Keep it safe: it is not shown again.", "dim"))
