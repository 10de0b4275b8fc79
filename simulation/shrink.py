"""Makes a failing case small: leaves out faults, orders and bad messages while the same invariant stays broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from simulation.cases import Case, Result

MAX_RUNS = 300


def smallest(failed: Result, run: Callable[[Case], Result]) -> Result:
    """The result of the smallest case found that breaks the same invariant. At most MAX_RUNS cases are run."""
    known = run(replace(failed.case, faults=tuple(failed.injected)))
    if known.invariant != failed.invariant:  # should not happen: what was drawn is what is written
        return failed
    left = MAX_RUNS
    while left > 0:
        smaller = None
        for case in _smaller(known.case):
            left -= 1
            result = run(case)
            if result.invariant == failed.invariant:
                smaller = result
                break
            if left == 0:
                break
        if smaller is None:
            return known
        known = smaller
    return known


def _smaller(case: Case) -> Iterator[Case]:
    """The case without half of its faults, a quarter, each; then without an order, bad messages, a ShopManager."""
    faults = tuple(case.faults or ())
    size = len(faults)
    while size > 1:
        size = (size + 1) // 2
        for start in range(0, len(faults), size):
            yield replace(case, faults=faults[:start] + faults[start + size :])
        if size == 1:
            break
    if len(faults) == 1:
        yield replace(case, faults=())
    scenario = case.scenario
    for number in range(len(scenario.orders)) if len(scenario.orders) > 1 else ():
        orders = [order for place, order in enumerate(scenario.orders) if place != number]
        yield replace(case, scenario=replace(scenario, orders=orders))
    if scenario.bad:
        yield replace(case, scenario=replace(scenario, bad=()))
    if scenario.managers > 1:
        yield replace(case, scenario=replace(scenario, managers=scenario.managers - 1))
