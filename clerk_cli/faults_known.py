"""What the processes ask of whom: so that no fault is put in force which could never meet a message. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clerk_cli.faults import PROCESS, Fault
from domain.document import part
from domain.messages import SHOP_MANAGER, Command, Direction
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step, name_and_version

ONLY: dict[str, Direction] = {"refuse": "do", "fail_undo": "undo"}
"""Faults that meet commands of one direction only."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that some process asks of a service at a step."""

    service: str
    step: str
    name: str
    direction: Direction


class Known:
    """What can be asked by these processes."""

    def __init__(self, processes: Iterable[Process]) -> None:
        listed = list(processes)
        self._asked = {asked for process in listed for step in process.steps for asked in _asked(step)}
        self._refusable = {
            (process.reference, step.name) for process in listed for step in process.steps[: process.pivot_index + 1]
        }

    def may_refuse(self, command: Command) -> bool:
        """Up to the pivot a service may say no; behind it, or in a process nobody knows, it can only fail for now."""
        process = part(command.document, "clerk").get("process")
        return isinstance(process, str) and (process, command.step) in self._refusable

    def wrong(self, fault: Fault) -> tuple[str, list[str]] | None:
        """The field (`step` or `name`) with which the fault could meet no message, and what is allowed there."""
        fitting = [each for each in self._asked if _concerns(fault, each)]
        steps = sorted({each.step for each in fitting})
        if fault.step is not None and fault.step not in steps:
            return "step", steps
        names = sorted({each.name for each in fitting if fault.step in (None, each.step)})
        if fault.kind == "crash":
            names.append(PROCESS)
        if fault.name is not None and fault.name not in names:
            return "name", names
        return None


def _concerns(fault: Fault, asked: Asked) -> bool:
    return fault.service in (SHOP_MANAGER, asked.service) and ONLY.get(fault.kind, asked.direction) == asked.direction


def _asked(step: Step) -> Iterator[Asked]:
    for command, direction in ((step.do, "do"), (step.overdue, "do"), (step.undo, "undo")):
        if command and command != NOTHING_TO_UNDO:
            yield Asked(step.asks, step.name, name_and_version(command)[0], "undo" if direction == "undo" else "do")
