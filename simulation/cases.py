"""A case: a scenario with a seed and its faults; and the result of running it. Both can be sent between processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.chart import TraceLine
from simulation.faults import DrawnFaults, Fault, WrittenFaults
from simulation.oracle import Finding
from simulation.scenario import Scenario, draw
from simulation.scenario_run import run_scenario
from simulation.seeded_random import SeededRandom
from simulation.stores import Stores


@dataclass(frozen=True, slots=True)
class Case:
    """`faults` None: drawn by the seed, at the scenario's rates; else exactly these."""

    name: str
    scenario: Scenario
    seed: int
    faults: Sequence[Fault] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`findings`: the invariants that do not hold, the first one first. `passed`: every (injection point, occasion).

    `passed` and `lines` are empty unless they were asked for.
    """

    case: Case
    findings: Sequence[Finding]
    injected: Sequence[Fault]
    digest: str
    rare: Counter[str]
    passed: Sequence[tuple[str, str]] = field(default=(), repr=False)
    lines: Sequence[TraceLine] = field(default=(), repr=False)

    @property
    def invariant(self) -> str | None:
        return self.findings[0].invariant if self.findings else None


def case_of_seed(seed: int) -> Case:
    return Case(f"seed {seed}", draw(seed), seed)


def run_case(case: Case, stores: Stores, *, keep_points: bool = False, keep_lines: bool = False) -> Result:
    """Runs it over these stores, which are emptied first."""
    plan = (
        DrawnFaults(SeededRandom(case.seed), case.scenario.rates) if case.faults is None else WrittenFaults(case.faults)
    )
    outcome = run_scenario(case.scenario, case.seed, plan, stores, keep_lines=keep_lines)
    passed = tuple(outcome.passed) if keep_points else ()
    lines = tuple(outcome.lines)
    return Result(case, tuple(outcome.findings), tuple(plan.injected), outcome.digest, outcome.rare, passed, lines)
