"""`clerk verify`: checks every invariant over all services' databases, while the shop runs or not.

A violation is printed as a "drift", also in JSON: that word is part of the command's contract.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

import typer
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from clerk_cli.data_folder import read_credentials
from clerk_cli.databases import opened_shop
from clerk_cli.errors import CliError, one_line
from clerk_cli.garbage import frozen_objects
from clerk_cli.terminal import console, plain, progress_bar
from clerk_cli.weak_settings import require_strong_folder
from domain.invariants import checked
from domain.messages import SHOP_MANAGER
from messaging.database import Database
from messaging.database_errors import all_said_by
from shop_manager import facts
from shop_manager.operations import checks
from verifier import Violation, check
from verifier.checking import check_clerks
from verifier.second_process import EndedEarly, SecondProcess, second_process

MANY = 5_000
"""Clerks from which on a second process helps."""
RESTS = 9
"""So it wants a tenth of one processor, here and at the databases, and less where others want more."""


class Printer(Protocol):
    """How violations are printed: each as it is found, and the outcome at the end."""

    def violation(self, violation: Violation) -> None: ...

    def end(self, outcome: Mapping[str, Any]) -> None: ...


def run_verify(*, secrets: bool, database: str | None, data: Path | None, as_json: bool) -> None:
    """Print every violation as it is found; exits 1 when there is any.

    A busy shop goes first: after each page this rests RESTS times as long as the page took.
    """
    began = monotonic()
    with (
        opened_shop(database, data) as databases,
        read_errors_reported(),
        frozen_objects(),
        _second(databases) as second,
        clerks_bar(databases, as_json) as bar,
    ):
        started_at = _now(databases)
        printer: Printer = _Json() if as_json else _Text(bar)
        count = {"clerks": 0, "drifts": 0}
        first: list[Violation] = []

        def progress(done: int) -> None:
            count["clerks"] = done
            bar.update(bar.task_ids[0], completed=done)

        def rest(spent: float) -> None:
            sleep(RESTS * spent)

        planted = secrets_of(data) if secrets else None
        for violation in check(databases, secrets=planted, progress=progress, pause=rest, second=second):
            count["drifts"] += 1
            first += [violation] if len(first) < checks.MOST else []
            printer.violation(violation)
        names = checked("always", "on request") if secrets else checked("always")
        printer.end({**count, "checked": names, "seconds": round(monotonic() - began, 3)})
        _record(databases, started_at, count["clerks"], first, count["drifts"])
    if count["drifts"]:
        raise typer.Exit(1)


@contextmanager
def _second(databases: Mapping[str, Database]) -> Iterator[SecondProcess | None]:
    """A second process, where there are so many Clerks that it is worth its start."""
    with databases[SHOP_MANAGER].read() as tx:
        many = len(facts.clerks_after(tx, "", MANY)) == MANY
    with second_process(databases, lambda ids: list(check_clerks(databases, ids))) if many else nullcontext() as second:
        yield second


def _now(databases: Mapping[str, Database]) -> int:
    with databases[SHOP_MANAGER].read() as tx:
        return tx.now()


def _record(
    databases: Mapping[str, Database], started_at: int, clerks: int, first: list[Violation], found: int
) -> None:
    """Record the outcome for the dashboard; without the right to write it only warns: the check itself counts."""
    drifts = [violation.as_json() for violation in first]
    try:
        with databases[SHOP_MANAGER].begin() as tx:
            finished_at = tx.now()
            checks.record(tx, started_at=started_at, finished_at=finished_at, clerks=clerks, drifts=drifts, found=found)
    except SQLAlchemyError as error:
        sys.stderr.write(f"clerk: this check is not recorded for the dashboard: {one_line(all_said_by(error))}\n")


@contextmanager
def read_errors_reported() -> Iterator[None]:
    """A database that fails inside the block is a CliError."""
    try:
        yield
    except SQLAlchemyError as error:
        raise CliError(f"a database cannot be read to the end: {all_said_by(error)}") from None
    except EndedEarly as error:
        raise CliError(str(error)) from None


@contextmanager
def clerks_bar(databases: Mapping[str, Database], as_json: bool) -> Iterator[Progress]:
    """A progress bar with one task: how many of the Clerks are checked."""
    with progress_bar(as_json) as bar:
        total = None
        if bar.console.is_terminal:
            with databases[SHOP_MANAGER].read() as tx:
                total = facts.count(tx)
        bar.add_task("Clerks checked", total=total)
        yield bar


def secrets_of(data: Path | None) -> list[str]:
    """The secrets of `clerk up` that no database may contain; none where the data folder has no credentials."""
    folder = data or Path(".clerk")
    require_strong_folder(folder)
    credentials = read_credentials(folder)
    if credentials is None:
        return []
    return [
        credentials.server_key,
        credentials.warehouse_key,
        credentials.operator_password,
        credentials.operator_key,
    ]


def as_json_object(violation: Violation) -> dict[str, Any]:
    """A violation as it is printed with --json; `safe`: `clerk repair` puts it right."""
    return {**violation.as_json(), "safe": violation.repair.is_safe}


class _Text:
    """Text for people."""

    def __init__(self, bar: Progress) -> None:
        self._console = bar.console if bar.console.is_terminal and not bar.console.stderr else console()

    def violation(self, violation: Violation) -> None:
        self._console.print(plain(f"{violation.invariant} {violation.clerk or ''}".rstrip(), "red"))
        line = violation.as_json()
        for name in ("expected", "found", "repair"):
            self._console.print(plain(f"    {name:9}{line[name]}"))

    def end(self, outcome: Mapping[str, Any]) -> None:
        names = f"{', '.join(outcome['checked'])} over {outcome['clerks']:,} Clerks, {outcome['seconds']:.1f} s"
        if outcome["drifts"]:
            self._console.print(plain(f"{outcome['drifts']:,} drifts: {names}", "bold red"))
        else:
            self._console.print(plain(f"clean: {names}", "bold green"))


class _Json:
    """One JSON document, written violation by violation: there may be too many to hold in memory."""

    def __init__(self) -> None:
        self._any = False
        sys.stdout.write('{\n  "drifts": [')

    def violation(self, violation: Violation) -> None:
        sys.stdout.write(("," if self._any else "") + "\n    " + json.dumps(as_json_object(violation)))
        self._any = True

    def end(self, outcome: Mapping[str, Any]) -> None:
        rest = {"clean": not self._any, **{name: value for name, value in outcome.items() if name != "drifts"}}
        head = "\n  ]" if self._any else "]"
        sys.stdout.write(f"{head},\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rest.items()))
        sys.stdout.write("\n}\n")
