"""How long to wait before the next attempt to connect."""

from __future__ import annotations

FIRST, LONGEST = 0.2, 10.0
"""Seconds."""


def pause(failures: int, chance: float, *, slow: bool = False) -> float:
    """Seconds to wait after this many failures in a row (1…): doubling, jittered down to a half by `chance` (0…1).

    `slow` is for what only a repair can change: the longest pause from the start.
    """
    full = LONGEST if slow else min(LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 10))
    return full * (0.5 + chance / 2)
