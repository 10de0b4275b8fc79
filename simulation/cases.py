"""A case: one scenario with the faults that are to befall it, and what came of playing it. Both can cross processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.chance import Chance
from simulation.faults import Drawn, Fault, Written
from simulation.judge import Finding
from simulation.play import play
from simulation.scenario import Scenario, draw
from simulation.stores import Stores


@dataclass(frozen=True, slots=True)
class Case:
    """`faults` None: drawn by the seed, at the scenario's own rates; else exactly these."""

    name: str
    scenario: Scenario
    seed: int
    faults: Sequence[Fault] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`findings`: the invariants that do not hold, the first one first. `passed`: every (port, occasion), in order.

    `passed` and `lines` are empty unless they were asked for.
    """

    case: Case
    findings: Sequence[Finding]
    injected: Sequence[Fault]
    digest: str
    rare: Counter[str]
    passed: Sequence[tuple[str, str]] = field(default=(), repr=False)
    lines: Sequence[str] = field(default=(), repr=False)

    @property
    def invariant(self) -> str | None:
        return self.findings[0].invariant if self.findings else None


def of_seed(seed: int) -> Case:
    return Case(f"seed {seed}", draw(seed), seed)


def run(case: Case, stores: Stores, *, keep_ports: bool = False, keep_lines: bool = False) -> Result:
    """Plays it over these stores, which are emptied first."""
    plan = Drawn(Chance(case.seed), case.scenario.rates) if case.faults is None else Written(case.faults)
    outcome = play(case.scenario, case.seed, plan, stores, keep_lines=keep_lines)
    passed = tuple(outcome.passed) if keep_ports else ()
    lines = tuple(outcome.lines)
    return Result(case, tuple(outcome.findings), tuple(plan.injected), outcome.digest, outcome.rare, passed, lines)
