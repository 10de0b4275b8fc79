"""Tries the wrong builds, each on the same seeds, until it is found out; the table of kills is what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from simulation.cases import of_seed, run
from simulation.stores import Stores
from simulation.wrong_builds import BUILDS, WrongBuild


@dataclass(frozen=True, slots=True)
class Kill:
    """`invariant`: which was broken at the first `seed` at which any was, the right one if it is among them.

    `seeds`: how many were played until then. Both are None when all invariants held at all seeds.
    """

    build: str
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
            "build": self.build,
            "wrong": self.wrong,
            "expected": list(self.expected),
            "within": self.within,
            "caught": self.caught,
            "invariant": self.invariant,
            "seed": self.seed,
            "seeds": self.seeds,
            "found": self.what,
        }


def kills(workers: int, told: Callable[[Kill], None] = lambda _kill: None) -> list[Kill]:
    """The table, in the order of the builds. `told` hears of each as soon as it is its turn."""
    table: list[Kill] = []
    for kill in _tried(workers):
        told(kill)
        table.append(kill)
    return table


def _tried(workers: int) -> Iterator[Kill]:
    if workers == 1:
        yield from (tried(number) for number in range(len(BUILDS)))
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(tried, range(len(BUILDS)))


def tried(number: int) -> Kill:
    """One build, in this process, until its first finding."""
    build, stores = BUILDS[number], Stores()
    with build.patched():
        for seed in range(build.within):
            result = run(of_seed(seed), stores)
            if result.findings:
                right = (finding for finding in result.findings if finding.invariant in build.invariants)
                finding = next(right, result.findings[0])
                return _kill(build, seed + 1, seed, finding.invariant, finding.what)
    return _kill(build, build.within, None, None, "")


def _kill(build: WrongBuild, seeds: int, seed: int | None, invariant: str | None, what: str) -> Kill:
    return Kill(build.name, build.wrong, sorted(build.invariants), build.within, seeds, seed, invariant, what)
