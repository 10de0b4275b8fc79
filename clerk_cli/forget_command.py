# ruff: noqa: PLC0415  # as in commands.py: a command imports what it needs when it runs
"""`clerk forget-customer` with its flags and its help; what it does is in `forgetting.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from clerk_cli.options import Data, DatabaseUrl, Json


def forget_customer(
    customer: Annotated[str | None, typer.Argument(help="The customer's id.")] = None,
    *,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Customers and guests' orders with this address instead.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(metavar="ID", help="One order alone instead, as of a guest without an address.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, without names: it stays in the audit.")],
    database: DatabaseUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a person out of all orders that have ended: name, e-mail, address, metadata, notes, and the search.

    What was ordered, paid and shipped stays, for the books, under the customer's id. While an order of theirs is under
    way nothing is done, and the exit code is 1; so it is when a service's database was not reached. Say it again then:
    what is erased stays erased. It tells what the services keep.

    Examples: [bold]clerk forget-customer ada --reason "request 17"[/bold],
    [bold]clerk forget-customer --email ada@example.com --reason "request 17"[/bold]
    """
    from clerk_cli.forgetting import asked_to_forget, run_forget_customer

    run_forget_customer(asked_to_forget(customer, email, order, reason), database, data, as_json)
