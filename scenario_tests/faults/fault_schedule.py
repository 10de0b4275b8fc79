"""Which faults a round of the nemesis injects: drawn by a seed, each once before any twice, all rows alike."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from scenario_tests.faults.fault import Fault

LONGEST_BESIDE = 16.0
"""Seconds that a fault injected beside another may take at most: what the other one waits for must come in time."""
TWO_OF = 0.5
"""The chance that a fault which allows for a second one gets it."""


class FaultSchedule:
    """`draw` gives the next round's faults: one, or two that touch no service in common and nothing else."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults = list(faults)
        self._chance = Random(seed)
        self._left: list[Fault] = []

    def draw(self) -> tuple[Fault, ...]:
        if not self._left:
            self._left = self._shuffled()
        first = self._left.pop(0)
        if self._chance.random() >= TWO_OF or not (beside := self._beside(first)):
            return (first,)
        second = self._chance.choice(beside)
        self._left.remove(second)
        return (first, second)

    def _beside(self, first: Fault) -> list[Fault]:
        return [other for other in self._left if go_together(first, other)]

    def _shuffled(self) -> list[Fault]:
        """One of each row, then the second of each: a short chaos meets every kind of fault too."""
        self._chance.shuffle(self._faults)
        turn: dict[str, int] = {}
        order: list[tuple[int, int, Fault]] = []
        for place, fault in enumerate(self._faults):
            turn[fault.row] = turn.get(fault.row, -1) + 1
            order.append((turn[fault.row], place, fault))
        return [fault for _, _, fault in sorted(order, key=lambda each: each[:2])]


def go_together(one: Fault, other: Fault) -> bool:
    """May they be played at the same time? A process that is dead cannot die, and a fault needs its victim alive."""
    return (
        bool(one.affects and other.affects)
        and not one.affects & other.affects
        and max(one.cost, other.cost) <= LONGEST_BESIDE
    )
