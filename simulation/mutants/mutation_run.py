"""Runs the mutants, each over the same seeds until an invariant is broken; the results are `--wrong-builds`' table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from simulation.cases import case_of_seed, run_case
from simulation.mutants import MUTANTS, Mutant
from simulation.stores import Stores


@dataclass(frozen=True, slots=True)
class MutantResult:
    """`invariant`: which was broken at the first `seed` at which any was, the right one if it is among them.

    `seeds`: how many were run until then. Both are None when all invariants held at all seeds.
    """

    mutant: str
    wrong: str
    expected: Sequence[str]
    within: int
    seeds: int
    seed: int | None = None
    invariant: str | None = None
    what: str = ""

    @property
    def caught(self) -> bool:
        """By the right invariant, in time."""
        return self.invariant in self.expected

    def as_json(self) -> dict[str, Any]:
        return {
            "build": self.mutant,
            "wrong": self.wrong,
            "expected": list(self.expected),
            "within": self.within,
            "caught": self.caught,
            "invariant": self.invariant,
            "seed": self.seed,
            "seeds": self.seeds,
            "found": self.what,
        }


def run_mutants(workers: int, on_result: Callable[[MutantResult], None] = lambda _result: None) -> list[MutantResult]:
    """The results, in the order of `MUTANTS`. `on_result` gets each as soon as it is there and those before it."""
    table: list[MutantResult] = []
    for result in _run_mutants(workers):
        on_result(result)
        table.append(result)
    return table


def _run_mutants(workers: int) -> Iterator[MutantResult]:
    if workers == 1:
        yield from (run_mutant(number) for number in range(len(MUTANTS)))
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(run_mutant, range(len(MUTANTS)))


def run_mutant(number: int) -> MutantResult:
    """One mutant, in this process, until its first finding."""
    mutant, stores = MUTANTS[number], Stores()
    with mutant.patched():
        for seed in range(mutant.within):
            result = run_case(case_of_seed(seed), stores)
            if result.findings:
                right = (finding for finding in result.findings if finding.invariant in mutant.invariants)
                finding = next(right, result.findings[0])
                return _result(mutant, seed + 1, seed, finding.invariant, finding.what)
    return _result(mutant, mutant.within, None, None, "")


def _result(mutant: Mutant, seeds: int, seed: int | None, invariant: str | None, what: str) -> MutantResult:
    return MutantResult(
        mutant.name, mutant.wrong, sorted(mutant.invariants), mutant.within, seeds, seed, invariant, what
    )
