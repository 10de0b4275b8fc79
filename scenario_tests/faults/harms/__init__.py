"""All harms, one file for each kind of thing that is hurt."""

from __future__ import annotations

from scenario_tests.faults.harm import Harm
from scenario_tests.faults.harms import (
    broker,
    clocks,
    database,
    doors,
    managers,
    messages,
    points,
    processes,
    provider,
    queues,
    roads,
)

KINDS = (
    processes,
    points,
    roads,
    broker,
    queues,
    database,
    messages,
    provider,
    doors,
    clocks,
    managers,
)
ALL: tuple[Harm, ...] = tuple(harm for kind in KINDS for harm in kind.HARMS)
