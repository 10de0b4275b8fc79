"""Seeded randomness: a number for each named occasion, the same for the same seed on every machine.

Occasions have names and no place in a sequence. So when one fault is left out of a schedule, most of the others stay as
they were, and a schedule can be made smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """The random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = blake2b(str(seed).encode(), digest_size=8)

    def of(self, occasion: str) -> float:
        """0 ≤ x < 1."""
        return self._number(occasion) / 2**64

    def between(self, occasion: str, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + self._number(occasion) % (most - least + 1)

    def pick(self, occasion: str, choices: Sequence[T]) -> T:
        return choices[self._number(occasion) % len(choices)]

    def bytes(self, occasion: str, count: int) -> bytes:
        return blake2b(f"{self.seed}/{occasion}".encode(), digest_size=count).digest()

    def _number(self, occasion: str) -> int:
        drawn = self._root.copy()
        drawn.update(occasion.encode())
        return int.from_bytes(drawn.digest(), "big")
