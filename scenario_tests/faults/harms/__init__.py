"""All harms, one file for each kind of thing that is hurt."""

from __future__ import annotations

from scenario_tests.faults.harm import Harm
from scenario_tests.faults.harms import processes, roads

ALL: tuple[Harm, ...] = (*processes.HARMS, *roads.HARMS)
