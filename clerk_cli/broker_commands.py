# ruff: noqa: PLC0415  # a command imports what it needs when it runs, so that `clerk --help` and `up` start fast
"""`clerk broker …` with its flags and its help; what it does is in the folder rabbitmq."""

from __future__ import annotations

from typing import Annotated

import typer

broker_app = typer.Typer(help="The services' users on RabbitMQ.")


@broker_app.callback()
def broker() -> None:
    """The services' users on RabbitMQ."""


@broker_app.command()
def permissions(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Set them, by rabbitmqctl or RabbitMQ's HTTP API.")] = False,
    create_users: Annotated[
        bool,
        typer.Option("--create-users", help="With --apply: make the users too, or give them their passwords anew."),
    ] = False,
    owner: Annotated[
        str | None, typer.Option(metavar="USER", help="Also those of the account with which clerk migrate declares.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of text for people.")
    ] = False,
) -> None:
    """Print, or set, what each service's user may do on RabbitMQ: exactly what it needs, and nothing else.

    Without --apply these are commands for rabbitmqctl. --apply runs them, or uses RabbitMQ's HTTP API where
    CLERK_BROKER_MANAGEMENT_URL says where that is. Do it before each start of a new version, or of a new process.
    Users are named by CLERK_BROKER_USERS; passwords of new ones are in CLERK_BROKER_PASSWORD_SHOP and so on, or in
    files that CLERK_BROKER_PASSWORD_SHOP_FILE and so on name.

    Example: [bold]clerk broker permissions --apply --create-users[/bold]
    """
    from clerk_cli.rabbitmq.permissions import run_permissions

    run_permissions(apply=apply, create_users=create_users, owner=owner, as_json=as_json)
