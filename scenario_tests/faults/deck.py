"""Which harms a round of the nemesis plays: drawn by a seed, each once before any twice, all rows alike."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from scenario_tests.faults.harm import Harm

LONGEST_BESIDE = 16.0
"""Cost of the longest harm that is played beside another: what the other waits for must come in time."""
TWO_OF = 0.5
"""How often a harm that allows for a second one gets it."""


class Deck:
    """`draw` gives the next round's harms: one, or two that touch no service in common and nothing else."""

    def __init__(self, harms: Sequence[Harm], seed: int) -> None:
        self._harms = list(harms)
        self._chance = Random(seed)
        self._left: list[Harm] = []

    def draw(self) -> tuple[Harm, ...]:
        if not self._left:
            self._left = self._shuffled()
        first = self._left.pop(0)
        if self._chance.random() >= TWO_OF or not (beside := self._beside(first)):
            return (first,)
        second = self._chance.choice(beside)
        self._left.remove(second)
        return (first, second)

    def _beside(self, first: Harm) -> list[Harm]:
        return [other for other in self._left if go_together(first, other)]

    def _shuffled(self) -> list[Harm]:
        """One of each row, then the second of each: a short chaos meets every kind of fault too."""
        self._chance.shuffle(self._harms)
        turn: dict[str, int] = {}
        order: list[tuple[int, int, Harm]] = []
        for place, harm in enumerate(self._harms):
            turn[harm.row] = turn.get(harm.row, -1) + 1
            order.append((turn[harm.row], place, harm))
        return [harm for _, _, harm in sorted(order, key=lambda each: each[:2])]


def go_together(one: Harm, other: Harm) -> bool:
    """May they be played at the same time? A process that is dead cannot die, and a fault needs its victim alive."""
    return (
        bool(one.hurts and other.hurts) and not one.hurts & other.hurts and max(one.cost, other.cost) <= LONGEST_BESIDE
    )
