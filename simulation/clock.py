"""Simulated time: it stands still until the loop (world.py) moves it forward."""

from __future__ import annotations

BEGINNING = 1_800_000_000_000
"""Friday, 15 January 2027, 08:00 UTC, in ms."""


class Clock:
    """`now` in ms since 1970; as a call, what `Database(clock=…)` wants."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> int:
        return self.now

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return (self.now - BEGINNING) / 1000

    def restart(self) -> None:
        self.now = BEGINNING
