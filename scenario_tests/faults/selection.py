"""Which of the fault tests a run plays: all of them, or a selection by a seed that fits into some seconds.

CLERK_FAULTS=all plays all. Otherwise CLERK_FAULTS_SEED (a fresh one, which is printed, when it is not set) draws tests
until their costs, as marked with `@pytest.mark.cost(seconds)`, fill CLERK_FAULTS_SECONDS.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

SECONDS = 60.0
USUAL_COST = 8.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """`seed` None: everything."""

    seed: int | None
    seconds: float

    def __str__(self) -> str:
        return "all" if self.seed is None else f"a selection of {self.seconds:g} s, CLERK_FAULTS_SEED={self.seed}"

    @property
    def again(self) -> str:
        """The command that plays the same ones again, in a shell."""
        seed = f"CLERK_FAULTS_SEED={self.seed} CLERK_FAULTS_SECONDS={self.seconds:g}"
        which = "CLERK_FAULTS=all" if self.seed is None else seed
        return f"CLERK_STAGE=services {which} python -m scenario_tests.servers run -- pytest scenario_tests/faults"


def wanted(environment: Mapping[str, str] = os.environ) -> Wanted:
    seconds = float(environment.get("CLERK_FAULTS_SECONDS", SECONDS))
    if environment.get("CLERK_FAULTS") == "all":
        return Wanted(None, seconds)
    seed = environment.get("CLERK_FAULTS_SEED")
    return Wanted(secrets.randbelow(1_000_000) if seed is None else int(seed), seconds)


def choose(costs: Mapping[str, float], kinds: Mapping[str, str], which: Wanted) -> set[str]:
    """The names of the tests to play. One of each kind is drawn before a second of any, in an order by chance.

    `costs`: test → seconds; `kinds`: test → the fault's row (`ROWS` in fault.py), else the test function.
    """
    if which.seed is None:
        return set(costs)
    chance = Random(which.seed)
    order = sorted(costs)
    chance.shuffle(order)
    turn: dict[str, int] = {}
    rounds: dict[str, int] = {}
    for name in order:
        rounds[name] = turn[kinds[name]] = turn.get(kinds[name], -1) + 1
    chosen: set[str] = set()
    left = which.seconds
    for name in sorted(order, key=lambda each: rounds[each]):
        if costs[name] <= left:
            chosen.add(name)
            left -= costs[name]
    return chosen
