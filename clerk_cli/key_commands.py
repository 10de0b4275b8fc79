# ruff: noqa: PLC0415  # as in commands.py: a command imports what it needs when it runs
"""`clerk key …` with its flags and its help; what it does is in `access_keys.py`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clerk_cli.options import Data, DatabaseUrl, Json

key_app = typer.Typer(help="Keys for the shop's backend, the warehouse and the monitoring.")


class Scope(StrEnum):
    SERVER = "server"
    WAREHOUSE = "warehouse"
    MONITORING = "monitoring"


@key_app.command("create")
def create_key(
    *,
    scope: Annotated[
        Scope,
        typer.Option(help="server for the shop's backend, warehouse, or monitoring: figures only."),
    ],
    name: Annotated[str, typer.Option(help="What it is for; several keys may have the same name.")] = (
        "clerk key create"
    ),
    expires_in: Annotated[
        int | None, typer.Option(metavar="DAYS", min=1, max=3650, help="It opens nothing after so many days.")
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="It opens nothing from then on: 2027-01-31T12:00:00Z.")
    ] = None,
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a key beside those there are. It is shown this once.

    Examples: [bold]clerk key create --scope warehouse[/bold],
    [bold]clerk key create --scope server --name webshop --expires-in 90[/bold]
    """
    from clerk_cli.access_keys import NewKey, run_create_key

    run_create_key(NewKey(scope.value, name, expires_in, expires_at), database, data, as_json)


@key_app.command("list")
def list_keys(database: DatabaseUrl = None, data: Data = None, as_json: Json = False) -> None:
    """List the keys, the latest first: whose, since when, until when, when used last, when revoked. Never themselves.

    Example: [bold]clerk key list[/bold]
    """
    from clerk_cli.access_keys import run_list_keys

    run_list_keys(database, data, as_json)


@key_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, the middle part: sk_ID_….")],
    reason: Annotated[str, typer.Option(help="Why; it stays in the audit.")] = "",
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Revoke a key, in the databases of all services: within ten seconds it opens nothing any more.

    The exit code is 1 when a database could not be reached: say it again when it can. An operator's key is revoked
    too; the password stays.

    Example: [bold]clerk key revoke abcdefghijkl --reason "found in a log"[/bold]
    """
    from clerk_cli.access_keys import run_revoke_key

    run_revoke_key(key_id, reason, database, data, as_json)
