"""A process as a row of steps to draw: what each asks, where an order is, and from where there is no way back.

Pure; way.html draws it, as a list that CSS lays out, so that it is read aloud in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from domain.times import hours, minutes
from shop_manager.operations.words import duration
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step


class Place(NamedTuple):
    """One step on the way. `state` is one of words.STEP, None in a process that is drawn for itself.

    `side`: `before`, `pivot` or `after`. `undo` is the command that undoes it, with `undo_state`: `""` (not needed so
    far), `undoing` or `undone`. `limit` and `waits_for` are in words.
    """

    name: str
    asks: str
    do: str
    undo: str
    side: str
    waits_for: str
    limit: str
    state: str | None = None
    undo_state: str = ""
    at: str | None = None
    attempts: int = 0
    here: bool = False
    stuck: bool = False


def plan(process: Process) -> list[Place]:
    """The steps of a process, whoever is on it."""
    return [_place(process, step) for step in process.steps]


def way(process: Process | None, clerk: Mapping[str, Any]) -> list[Place]:
    """The steps of one Clerk, as `/ops/clerks/{id}` has it; of a process that was taken out just their names."""
    plans = {place.name: place for place in plan(process)} if process else {}
    at, stuck = clerk["step"], (clerk["stuck"] or {}).get("step")
    return [_walked(plans.get(line["step"]), line, at, stuck) for line in clerk["progress"]]


def services_of(process: Process | None) -> dict[str, str]:
    """Whom each step asks."""
    return {step.name: step.asks for step in process.steps} if process else {}


def _walked(planned: Place | None, line: Mapping[str, Any], at: str | None, stuck: str | None) -> Place:
    known = planned or Place(line["step"], "", "", "", "before", "", "")
    undo_state = line["state"] if line["state"] in ("undoing", "undone") else ""
    return known._replace(
        state=line["state"],
        undo_state=undo_state,
        at=line.get("at"),
        attempts=line.get("attempts", 0),
        here=line["step"] == at,
        stuck=line["step"] == stuck,
    )


def _place(process: Process, step: Step) -> Place:
    index = process.index(step.name)
    side = "pivot" if step.pivot else "before" if index < process.pivot_index else "after"
    undo = "" if step.undo in (None, NOTHING_TO_UNDO) else step.undo or ""
    return Place(step.name, step.asks, step.do, undo, side, step.waits_for or "", _limit(step.within))


def _limit(within: int | None) -> str:
    """A limit in the unit people say it in: `60 s`, `15 min`, `48 h`, `14 d`."""
    if within is None:
        return ""
    if within <= minutes(1):
        return f"{within // 1000} s"
    return f"{within // hours(1)} h" if within % hours(1) == 0 and within <= hours(72) else duration(within)


def with_counts(process: Process, steps: Iterable[Mapping[str, Any]]) -> list[tuple[Place, int, int]]:
    """(step, live Clerks at it, stuck ones among them), the counts as `/ops/processes` has them."""
    counts = {step["name"]: (step["live"], step["stuck"]) for step in steps}
    return [(place, *counts.get(place.name, (0, 0))) for place in plan(process)]
