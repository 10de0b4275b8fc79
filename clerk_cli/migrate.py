"""`clerk migrate`: creates or upgrades tables, one service after the other."""

from __future__ import annotations

from pathlib import Path

from clerk_cli.databases import opened, template_for, trouble_of
from clerk_cli.services import Service, chosen
from clerk_cli.terminal import console, plain, print_json
from messaging.database import Database
from messaging.migrations import migrate


def run_migrate(name: str | None, database: str | None, data: Path | None, as_json: bool) -> None:
    """Migrate and print, for each service, from which revision to which."""
    templates = {service: template_for(service, database, data) for service in chosen(name)}
    with opened(templates) as databases:
        changes = {service: migrate_one(service, each) for service, each in databases.items()}
    if as_json:
        print_json(
            [{"service": each.name, "before": before, "after": after} for each, (before, after) in changes.items()]
        )
        return
    for service, (before, after) in changes.items():
        told = f"is at {after} already" if before == after else f"{before or 'empty'} → {after}"
        console().print(plain(f"{service.name}: {told}"))


def migrate_one(service: Service, database: Database) -> tuple[str | None, str]:
    """Returns (revision before, revision after); Trouble in one line when it cannot be done."""
    with trouble_of(service):
        return migrate(database, service.package)
