"""`clerk verify`: every invariant over all services' databases, while the shop runs or not."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from clerk_cli.data_folder import read_credentials
from clerk_cli.databases import opened_shop
from clerk_cli.errors import Trouble, one_line
from clerk_cli.terminal import console, plain
from domain.invariants import checked
from domain.messages import SHOP_MANAGER
from messaging.database import Database
from shop_manager import audit as manager_audit
from shop_manager import checks
from verifier import Drift, check
from verifier.remedies import SAFE


class Printer(Protocol):
    """How drifts are told: each as it is found, and the outcome at the end."""

    def drift(self, drift: Drift) -> None: ...

    def end(self, outcome: Mapping[str, Any]) -> None: ...


def run_verify(*, secrets: bool, database: str | None, data: Path | None, as_json: bool) -> None:
    """Print every drift as it is found; exits 1 when there is any."""
    began = monotonic()
    with opened_shop(database, data) as databases, told(), progress_bar(databases, as_json) as bar:
        started_at = _now(databases)
        printer: Printer = _Json() if as_json else _Text(bar)
        count = {"clerks": 0, "drifts": 0}
        first: list[Drift] = []

        def progress(done: int) -> None:
            count["clerks"] = done
            bar.update(bar.task_ids[0], completed=done)

        planted = secrets_of(data) if secrets else None
        with rare_collections():
            for drift in check(databases, secrets=planted, progress=progress):
                count["drifts"] += 1
                first += [drift] if len(first) < checks.MOST else []
                printer.drift(drift)
        names = checked("always", "on request") if secrets else checked("always")
        printer.end({**count, "checked": names, "seconds": round(monotonic() - began, 3)})
        _record(databases, started_at, count["clerks"], first, count["drifts"])
    if count["drifts"]:
        raise typer.Exit(1)


def _now(databases: Mapping[str, Database]) -> int:
    with databases[SHOP_MANAGER].read() as tx:
        return tx.now()


def _record(databases: Mapping[str, Database], started_at: int, clerks: int, first: list[Drift], found: int) -> None:
    """For the dashboard. Whoever may only read the databases has verified them all the same."""
    drifts = [asdict(drift) for drift in first]
    try:
        with databases[SHOP_MANAGER].begin() as tx:
            finished_at = tx.now()
            checks.record(tx, started_at=started_at, finished_at=finished_at, clerks=clerks, drifts=drifts, found=found)
    except SQLAlchemyError as error:
        words = one_line(str(getattr(error, "orig", None) or error))
        sys.stderr.write(f"clerk: this check is not recorded for the dashboard: {words}\n")


@contextmanager
def rare_collections() -> Iterator[None]:
    """Facts hold no cycles, so looking through them for some is a third of the time; it is done now and then only."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def told() -> Iterator[None]:
    """A database that fails on the way is told in one line."""
    try:
        yield
    except SQLAlchemyError as error:
        words = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        raise Trouble(f"a database cannot be read to the end: {words}") from None


@contextmanager
def progress_bar(databases: Mapping[str, Database], as_json: bool) -> Iterator[Progress]:
    """How many of the Clerks are done, for people at a terminal; results go where they always go."""
    shown = Console(stderr=True) if as_json or not sys.stdout.isatty() else console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        total = None
        if shown.is_terminal:
            with databases[SHOP_MANAGER].read() as tx:
                total = manager_audit.count(tx)
        bar.add_task("Clerks checked", total=total)
        yield bar


def secrets_of(data: Path | None) -> list[str]:
    """The secrets of `clerk up` that must stand in no database; none where its folder is not named."""
    credentials = read_credentials(data or Path(".clerk"))
    if credentials is None:
        return []
    return [
        credentials.server_key,
        credentials.warehouse_key,
        credentials.operator_password,
        credentials.operator_key,
    ]


def as_line(drift: Drift) -> dict[str, Any]:
    """A drift as JSON; `safe`: `clerk repair` puts it right."""
    return {**asdict(drift), "safe": drift.repair in SAFE}


class _Text:
    """For people."""

    def __init__(self, bar: Progress) -> None:
        self._console = bar.console if bar.console.is_terminal and not bar.console.stderr else console()

    def drift(self, drift: Drift) -> None:
        self._console.print(plain(f"{drift.invariant} {drift.clerk or ''}".rstrip(), "red"))
        for name in ("expected", "found", "repair"):
            self._console.print(plain(f"    {name:9}{getattr(drift, name)}"))

    def end(self, outcome: Mapping[str, Any]) -> None:
        names = f"{', '.join(outcome['checked'])} over {outcome['clerks']:,} Clerks, {outcome['seconds']:.1f} s"
        if outcome["drifts"]:
            self._console.print(plain(f"{outcome['drifts']:,} drifts: {names}", "bold red"))
        else:
            self._console.print(plain(f"clean: {names}", "bold green"))


class _Json:
    """One JSON document, written as it comes: nobody holds a million drifts."""

    def __init__(self) -> None:
        self._any = False
        sys.stdout.write('{\n  "drifts": [')

    def drift(self, drift: Drift) -> None:
        sys.stdout.write(("," if self._any else "") + "\n    " + json.dumps(as_line(drift)))
        self._any = True

    def end(self, outcome: Mapping[str, Any]) -> None:
        rest = {"clean": not self._any, **{name: value for name, value in outcome.items() if name != "drifts"}}
        head = "\n  ]" if self._any else "]"
        sys.stdout.write(f"{head},\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rest.items()))
        sys.stdout.write("\n}\n")
