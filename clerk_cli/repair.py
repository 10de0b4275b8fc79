"""`clerk repair`: verifies, and does the repairs that are safe: ordinary acts, each noted in the Clerk's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Literal

import typer

from clerk_cli.databases import opened_shop
from clerk_cli.repair_instance import RepairInstance, repair_instance
from clerk_cli.terminal import console, plain, print_json
from clerk_cli.verify import as_json_object, clerks_bar, read_errors_reported
from messaging.database import Database
from verifier import Violation, check
from verifier.checking import check_clerks, heartbeat_of
from verifier.facts import calling
from verifier.messages import untold_pages
from verifier.repairs import TELL_PARKED, VOID_PAYMENT, Repair

AT_ONCE = 100
"""Clerks repaired, and looked at again, together."""
PATIENCE = 10.0
"""Seconds to wait for the effect of a repair: the payment provider has to answer."""
LOOK_EVERY = 0.05


RepairState = Literal["planned", "under way", "done", "moved on"]
"""`moved on`: the Clerk has changed since it was checked, and nothing was done."""


@dataclass
class PlannedRepair:
    """One repair of one Clerk; `clerk` None: of all parked messages. `invariants`: those whose violations it ends."""

    clerk: str | None
    repair: Repair
    invariants: list[str] = field(default_factory=list)
    state: RepairState = "planned"


def run_repair(*, dry_run: bool, database: str | None, data: Path | None, as_json: bool) -> None:
    """Verify, repair what is safe, and print what was done and what is left; exits 1 when a violation is left."""
    with opened_shop(database, data) as databases, read_errors_reported():
        acts, left = _planned(databases, as_json)
        if acts and not dry_run:
            with repair_instance(databases) as instance:
                _do(instance, databases, acts)
            left = _still_left(databases, acts, left)
    clean = not left and all(act.state == "done" for act in acts)
    if as_json:
        lines = [
            {"clerk": a.clerk, "repair": a.repair.sentence, "invariants": a.invariants, "state": a.state} for a in acts
        ]
        print_json({"dry_run": dry_run, "clean": clean, "acts": lines, "left": [as_json_object(each) for each in left]})
    else:
        _print(acts, left)
    if not clean:
        raise typer.Exit(1)


def _planned(databases: Mapping[str, Database], as_json: bool) -> tuple[list[PlannedRepair], list[Violation]]:
    """What can be done, one act for each Clerk and repair, and what is for people."""
    acts: dict[tuple[str | None, Repair], PlannedRepair] = {}
    left: list[Violation] = []
    with clerks_bar(databases, as_json) as bar:
        for violation in check(databases, progress=lambda done: bar.update(bar.task_ids[0], completed=done)):
            if not violation.repair.is_safe:
                left.append(violation)
                continue
            clerk = None if violation.repair == TELL_PARKED else violation.clerk
            act = acts.setdefault((clerk, violation.repair), PlannedRepair(clerk, violation.repair))
            if violation.invariant not in act.invariants:
                act.invariants.append(violation.invariant)
    return list(acts.values()), left


def _do(instance: RepairInstance, databases: Mapping[str, Database], acts: list[PlannedRepair]) -> None:
    for act in acts:
        if act.clerk is None:
            _tell_of_parked(instance, databases)
            act.state = "done"
    ours = [act for act in acts if act.clerk is not None]
    for start in range(0, len(ours), AT_ONCE):
        some = ours[start : start + AT_ONCE]
        for act in some:
            begun = instance.repair(act.clerk or "", act.repair)
            act.state = "under way" if begun else "moved on"
        _wait_for(instance, databases, some)


def _still_left(databases: Mapping[str, Database], acts: list[PlannedRepair], left: list[Violation]) -> list[Violation]:
    """Of the violations left to people those that are still there: a repair of the same Clerk may have ended some."""
    repaired = sorted({act.clerk for act in acts if act.clerk})
    known = set(repaired)
    found = [each for each in left if each.clerk not in known]
    for start in range(0, len(repaired), AT_ONCE):
        some = check_clerks(databases, repaired[start : start + AT_ONCE], patience=0)
        found += [each for each in some if not each.repair.is_safe]
    return found


def _tell_of_parked(instance: RepairInstance, databases: Mapping[str, Database]) -> None:
    for service, rows in untold_pages(databases, heartbeat_of(databases, None)):
        for row in rows:
            instance.tell(service, row)


def _wait_for(instance: RepairInstance, databases: Mapping[str, Database], acts: list[PlannedRepair]) -> None:
    """Work until the violations are gone, for PATIENCE seconds at most."""
    until = monotonic() + PATIENCE
    while waiting := [act for act in acts if act.state == "under way"]:
        instance.work()
        ids = sorted({act.clerk or "" for act in waiting})
        still = {(each.clerk, each.repair) for each in check_clerks(databases, ids, patience=0)}
        still |= {(clerk, VOID_PAYMENT) for clerk in calling(databases, ids)}
        for act in waiting:
            if (act.clerk, act.repair) not in still:
                act.state = "done"
        if monotonic() > until:
            return
        if still:
            Event().wait(LOOK_EVERY)


def _print(acts: list[PlannedRepair], left: list[Violation]) -> None:
    out = console()
    for act in acts:
        what = act.repair.sentence.removeprefix("clerk repair: ")
        out.print(plain(f"{act.state:10} {act.clerk or 'parked messages'}: {what} [{', '.join(act.invariants)}]"))
    for each in left:
        out.print(plain(f"left       {each.clerk or ''}: {_in_words(each)}"))
    if not acts and not left:
        out.print(plain("clean: there is nothing to repair", "bold green"))


def _in_words(violation: Violation) -> str:
    difference = f"expected {violation.expected}; found {violation.found}"
    return f"{violation.repair.sentence} [{violation.invariant}: {difference}]"
