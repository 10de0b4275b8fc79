"""The processes, one in each file of this folder, and the ProcessRegistry, which chooses the one for a session."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from shop_manager.processes.definition import BadProcess, Process


def discover() -> list[Process]:
    """Every Process that a module of this folder defines, in the order of their references; imports them."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [each for module in modules for each in vars(module).values() if isinstance(each, Process)]
    return sorted(found, key=lambda process: (process.name, process.version))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which process was chosen, by which rule, from what: recorded on the Clerk."""

    process: Process
    rule: str
    inputs: Mapping[str, object]


class ProcessRegistry:
    """The processes that this ShopManager runs, by reference."""

    def __init__(self, processes: Iterable[Process] | None = None) -> None:
        self.by_reference: dict[str, Process] = {}
        for process in discover() if processes is None else processes:
            if process.reference in self.by_reference:
                raise BadProcess(f"process {process.reference} is there twice: a changed process needs a new version")
            self.by_reference[process.reference] = process

    def choose(self, customer_type: str, shop_type: str, allows_invoice: bool) -> Choice:
        """The process that fits closest, in its newest version; asked once, when a session starts."""
        inputs = {"customer_type": customer_type, "shop_type": shop_type, "allows_invoice": allows_invoice}
        fitting = [
            process
            for process in self.by_reference.values()
            if all(inputs[name] == value for name, value in process.suits.conditions().items())
        ]
        if not fitting:
            raise BadProcess(f"no process suits {inputs}")
        best = max(fitting, key=lambda process: (len(process.suits.conditions()), process.version))
        return Choice(best, str(best.suits), inputs)

    def __getitem__(self, reference: str) -> Process:
        return self.by_reference[reference]

    def check_in_use(self, in_use: Iterable[tuple[str, str]]) -> None:
        """Raises BadProcess when running Clerks need a (reference, digest) that is not here any more."""
        for reference, digest in in_use:
            process = self.by_reference.get(reference)
            if process is None:
                raise BadProcess(f"process {reference} was taken out, but Clerks still run on it")
            if process.digest != digest:
                raise BadProcess(f"process {reference} was changed, but Clerks still run on it: give it a new version")
