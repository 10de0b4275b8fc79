"""`clerk repair`: does those repairs that are safe, as ordinary acts that the Clerks' histories tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import typer

from clerk_cli.databases import opened_shop
from clerk_cli.repair_shop import RepairShop, repair_shop
from clerk_cli.terminal import console, plain, print_json
from clerk_cli.verify import as_line, progress_bar, told
from messaging.database import Database
from verifier import Drift, check
from verifier.checking import check_clerks, pulse_of
from verifier.facts import calling
from verifier.messages import untold_pages
from verifier.remedies import SAFE, TELL_PARKED, VOID_PAYMENT

AT_ONCE = 100
"""Clerks repaired, and looked at again, together."""
PATIENCE = 10.0
"""Seconds to wait for the effect of a repair: the payment provider has to answer."""
LOOK_EVERY = 0.05


@dataclass
class Act:
    """One repair of one Clerk (of parked messages: of all). `invariants` are those of the drifts that it ends.

    `state`: planned, done, under way, or moved on (the Clerk has changed since it was looked at).
    """

    clerk: str | None
    repair: str
    invariants: list[str] = field(default_factory=list)
    state: str = "planned"


def run_repair(*, dry_run: bool, database: str | None, data: Path | None, as_json: bool) -> None:
    """Verify, repair what is safe, and tell what was done and what is left; exits 1 when a drift is left."""
    with opened_shop(database, data) as databases, told():
        acts, left = _planned(databases, as_json)
        if acts and not dry_run:
            with repair_shop(databases) as shop:
                _do(shop, databases, acts)
            left = _still_left(databases, acts, left)
    clean = not left and all(act.state == "done" for act in acts)
    if as_json:
        lines = [{"clerk": a.clerk, "repair": a.repair, "invariants": a.invariants, "state": a.state} for a in acts]
        print_json({"dry_run": dry_run, "clean": clean, "acts": lines, "left": [as_line(drift) for drift in left]})
    else:
        _print(acts, left)
    if not clean:
        raise typer.Exit(1)


def _planned(databases: Mapping[str, Database], as_json: bool) -> tuple[list[Act], list[Drift]]:
    """What can be done, one act for each Clerk and repair, and what is for people."""
    acts: dict[tuple[str | None, str], Act] = {}
    left: list[Drift] = []
    with progress_bar(databases, as_json) as bar:
        for drift in check(databases, progress=lambda done: bar.update(bar.task_ids[0], completed=done)):
            if drift.repair not in SAFE:
                left.append(drift)
                continue
            clerk = None if drift.repair == TELL_PARKED else drift.clerk
            act = acts.setdefault((clerk, drift.repair), Act(clerk, drift.repair))
            if drift.invariant not in act.invariants:
                act.invariants.append(drift.invariant)
    return list(acts.values()), left


def _do(shop: RepairShop, databases: Mapping[str, Database], acts: list[Act]) -> None:
    for act in acts:
        if act.clerk is None:
            _tell_of_parked(shop, databases)
            act.state = "done"
    ours = [act for act in acts if act.clerk is not None]
    for start in range(0, len(ours), AT_ONCE):
        some = ours[start : start + AT_ONCE]
        for act in some:
            begun = shop.repair(act.clerk or "", act.repair)
            act.state = "under way" if begun else "moved on"
        _wait_for(shop, databases, some)


def _still_left(databases: Mapping[str, Database], acts: list[Act], left: list[Drift]) -> list[Drift]:
    """What was left to people may have gone with a repair of the same Clerk."""
    repaired = sorted({act.clerk for act in acts if act.clerk})
    known = set(repaired)
    found = [drift for drift in left if drift.clerk not in known]
    for start in range(0, len(repaired), AT_ONCE):
        some = check_clerks(databases, repaired[start : start + AT_ONCE], patience=0)
        found += [drift for drift in some if drift.repair not in SAFE]
    return found


def _tell_of_parked(shop: RepairShop, databases: Mapping[str, Database]) -> None:
    for service, rows in untold_pages(databases, pulse_of(databases, None)):
        for row in rows:
            shop.tell(service, row)


def _wait_for(shop: RepairShop, databases: Mapping[str, Database], acts: list[Act]) -> None:
    """Until the drifts are gone, or patience is at its end."""
    until = monotonic() + PATIENCE
    while waiting := [act for act in acts if act.state == "under way"]:
        shop.work()
        ids = sorted({act.clerk or "" for act in waiting})
        still = {(drift.clerk, drift.repair) for drift in check_clerks(databases, ids, patience=0)}
        still |= {(clerk, VOID_PAYMENT) for clerk in calling(databases, ids)}
        for act in waiting:
            if (act.clerk, act.repair) not in still:
                act.state = "done"
        if monotonic() > until:
            return
        if still:
            Event().wait(LOOK_EVERY)


def _print(acts: list[Act], left: list[Drift]) -> None:
    out = console()
    for act in acts:
        what = act.repair.removeprefix("clerk repair: ")
        out.print(plain(f"{act.state:10} {act.clerk or 'parked messages'}: {what} [{', '.join(act.invariants)}]"))
    for drift in left:
        out.print(plain(f"left       {drift.clerk or ''}: {_told(drift)}"))
    if not acts and not left:
        out.print(plain("clean: there is nothing to repair", "bold green"))


def _told(drift: Drift) -> str:
    content: dict[str, Any] = as_line(drift)
    return f"{content['repair']} [{content['invariant']}: expected {content['expected']}; found {content['found']}]"
