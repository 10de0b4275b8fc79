"""What the players need of a plan: that it says afterwards what it has done."""

from __future__ import annotations

from typing import Protocol

from simulation.faults import Fault


class RecordingPlan(Protocol):
    """A `Plan` (ports.py); `injected` in the order in which it happened."""

    injected: list[Fault]

    def at(self, port: str, occasion: str) -> str | None: ...
