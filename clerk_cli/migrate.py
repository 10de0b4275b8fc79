"""`clerk migrate`: creates or upgrades tables, one service after the other, and declares what RabbitMQ must hold."""

from __future__ import annotations

import logging
from pathlib import Path

from clerk_cli import logs
from clerk_cli.databases import database_errors_reported, opened, template_for
from clerk_cli.rabbitmq.accounts import OWNER_URL, owner_url
from clerk_cli.rabbitmq.topology import declare_topology
from clerk_cli.services import Service, chosen
from clerk_cli.terminal import console, plain, print_json
from clerk_cli.weak_settings import require_strong_broker
from messaging.database import Database
from messaging.migrations import migrate


def run_migrate(name: str | None, database: str | None, data: Path | None, as_json: bool) -> None:
    """Migrate and print, for each service, from which revision to which.

    With CLERK_BROKER_OWNER_URL also declare the exchanges and queues, and print where.
    """
    templates = {service: template_for(service, database, data) for service in chosen(name)}
    with opened(templates) as databases:
        changes = {service: migrate_one(service, each) for service, each in databases.items()}
    declared = _declared()
    if as_json:
        told = [{"service": each.name, "before": before, "after": after} for each, (before, after) in changes.items()]
        print_json([*told, *([{"broker": declared, "declared": True}] if declared else [])])
        return
    for service, (before, after) in changes.items():
        change = f"is at {after} already" if before == after else f"{before or 'empty'} → {after}"
        console().print(plain(f"{service.name}: {change}"))
    if declared:
        console().print(plain(f"the broker at {declared}: exchanges and queues are there"))


def _declared() -> str | None:
    """Where the exchanges and queues are now; None when no owner's account is given, and they are others' concern."""
    owner = owner_url()
    if owner is None:
        return None
    require_strong_broker(owner, OWNER_URL)
    logs.configure(as_json=False, level=logging.CRITICAL, service="clerk migrate")  # what goes wrong is told in a line
    return declare_topology(owner)


def migrate_one(service: Service, database: Database) -> tuple[str | None, str]:
    """Returns (revision before, revision after); CliError when it cannot be done."""
    with database_errors_reported(service):
        return migrate(database, service.package)
