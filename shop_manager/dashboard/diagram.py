"""A process drawn as a row of steps: what each step asks of whom, which is the pivot, and where an order is. Pure.

diagram.html draws it as a list that CSS lays out, so that a screen reader reads it in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from domain.times import hours, minutes
from shop_manager.operations.formats import duration
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step


class DiagramStep(NamedTuple):
    """One step. `state` is a key of labels.STEP, None in a process that is drawn without an order.

    `side`: `before`, `pivot` or `after`. `undo` is the command that undoes it, with `undo_state`: `""` (not needed so
    far), `undoing` or `undone`. `waits_for` and `limit` are texts. `here`: the order is at this step.
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


def process_diagram(process: Process) -> list[DiagramStep]:
    """The steps of a process, without an order."""
    return [_defined(process, step) for step in process.steps]


def diagram_with_counts(process: Process, steps: Iterable[Mapping[str, Any]]) -> list[tuple[DiagramStep, int, int]]:
    """(step, live Clerks at it, stuck ones among them), the counts as `/ops/processes` has them."""
    counts = {step["name"]: (step["live"], step["stuck"]) for step in steps}
    return [(step, *counts.get(step.name, (0, 0))) for step in process_diagram(process)]


def clerk_diagram(process: Process | None, clerk: Mapping[str, Any]) -> list[DiagramStep]:
    """The steps of one Clerk as `/ops/clerks/{id}` has it; with no `process`, only names and states are known."""
    defined = {step.name: step for step in process_diagram(process)} if process else {}
    stuck_at = (clerk["stuck"] or {}).get("step")
    return [_reached(defined.get(line["step"]), line, clerk["step"], stuck_at) for line in clerk["progress"]]


def services_of(process: Process | None) -> dict[str, str]:
    """The service that each step asks, by the step's name."""
    return {step.name: step.asks for step in process.steps} if process else {}


def _reached(defined: DiagramStep | None, line: Mapping[str, Any], at: str | None, stuck_at: str | None) -> DiagramStep:
    """The step with the progress of one order; `at` is the step where the order is."""
    step = defined or DiagramStep(line["step"], "", "", "", "before", "", "")
    return step._replace(
        state=line["state"],
        undo_state=line["state"] if line["state"] in ("undoing", "undone") else "",
        at=line.get("at"),
        attempts=line.get("attempts", 0),
        here=line["step"] == at,
        stuck=line["step"] == stuck_at,
    )


def _defined(process: Process, step: Step) -> DiagramStep:
    index = process.index(step.name)
    side = "pivot" if step.pivot else "before" if index < process.pivot_index else "after"
    undo = "" if step.undo in (None, NOTHING_TO_UNDO) else step.undo or ""
    return DiagramStep(step.name, step.asks, step.do, undo, side, step.waits_for or "", _limit(step.within))


def _limit(within: int | None) -> str:
    """A limit in the unit that people use for it: `60 s`, `15 min`, `48 h`, `14 d`."""
    if within is None:
        return ""
    if within <= minutes(1):
        return f"{within // 1000} s"
    return f"{within // hours(1)} h" if within % hours(1) == 0 and within <= hours(72) else duration(within)
