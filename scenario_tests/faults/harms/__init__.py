"""All harms, one file for each kind of thing that is hurt."""

from __future__ import annotations

from scenario_tests.faults.harm import Harm
from scenario_tests.faults.harms import broker, points, processes, roads

ALL: tuple[Harm, ...] = tuple(harm for kind in (processes, points, roads, broker) for harm in kind.HARMS)
