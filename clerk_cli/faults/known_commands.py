"""Which commands the processes send to which service, so that a fault that could never meet one is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clerk_cli.faults.switchboard import PROCESS, Fault
from domain.document import part
from domain.messages import SHOP_MANAGER, Command, Direction
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step, name_and_version

ONLY: dict[str, Direction] = {"refuse": "do", "fail_undo": "undo"}
"""Faults that meet commands of one direction only."""


@dataclass(frozen=True, slots=True)
class KnownCommand:
    """A command that some process sends to a service at a step."""

    service: str
    step: str
    name: str
    direction: Direction


class KnownCommands:
    """All commands that these processes can send."""

    def __init__(self, processes: Iterable[Process]) -> None:
        listed = list(processes)
        self._commands = {command for process in listed for step in process.steps for command in _commands(step)}
        self._refusable = {
            (process.reference, step.name) for process in listed for step in process.steps[: process.pivot_index + 1]
        }

    def may_refuse(self, command: Command) -> bool:
        """Up to the pivot a service may refuse; after it, or in an unknown process, it can only fail for now (P1)."""
        process = part(command.document, "clerk").get("process")
        return isinstance(process, str) and (process, command.step) in self._refusable

    def wrong(self, fault: Fault) -> tuple[str, list[str]] | None:
        """The field (`step` or `name`) with which the fault could meet no message, and what is allowed there."""
        fitting = [each for each in self._commands if _concerns(fault, each)]
        steps = sorted({each.step for each in fitting})
        if fault.step is not None and fault.step not in steps:
            return "step", steps
        names = sorted({each.name for each in fitting if fault.step in (None, each.step)})
        if fault.kind == "crash":
            names.append(PROCESS)
        if fault.name is not None and fault.name not in names:
            return "name", names
        return None


def _concerns(fault: Fault, command: KnownCommand) -> bool:
    is_there = fault.service in (SHOP_MANAGER, command.service)
    return is_there and ONLY.get(fault.kind, command.direction) == command.direction


def _commands(step: Step) -> Iterator[KnownCommand]:
    directions: tuple[tuple[str | None, Direction], ...] = ((step.do, "do"), (step.overdue, "do"), (step.undo, "undo"))
    for command, direction in directions:
        if command and command != NOTHING_TO_UNDO:
            yield KnownCommand(step.asks, step.name, name_and_version(command)[0], direction)
