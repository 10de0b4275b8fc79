"""How long to wait before the next attempt to connect to the broker. Pure."""

from __future__ import annotations

FIRST = 0.2
LONGEST = 3.0
"""Well under the grace (semantics T5): after an outage a service must be back before the first deadline passes."""
SLOW = 10.0


def pause(failures: int, chance: float, *, slow: bool = False) -> float:
    """Seconds to wait after this many failures in a row (1…): doubling, jittered down to a half by `chance` (0…1).

    `slow` is for what only a repair can change: a long pause from the start.
    """
    full = SLOW if slow else min(LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 10))
    return full * (0.5 + chance / 2)
