"""All faults, one file for each kind of thing that fails."""

from __future__ import annotations

from scenario_tests.faults.fault import Fault
from scenario_tests.faults.kinds import (
    broker,
    clocks,
    database,
    http_api,
    managers,
    messages,
    network,
    points,
    processes,
    provider,
    queues,
)

KINDS = (
    processes,
    points,
    network,
    broker,
    queues,
    database,
    messages,
    provider,
    http_api,
    clocks,
    managers,
)
ALL: tuple[Fault, ...] = tuple(fault for kind in KINDS for fault in kind.FAULTS)
