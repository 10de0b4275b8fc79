"""The last checks of every fault test: quiet in time, then no violation in the five databases (`clerk verify`)."""

from __future__ import annotations

from threading import Event
from time import monotonic

import verifier
from messaging.database import Database
from scenario_tests.harness import SERVICES, Harness

QUIET_LIMIT = 60.0
"""Seconds from the end of a fault to quiet; reaching it is an invariant itself."""
LOOK_EVERY = 0.2


def databases(harness: Harness) -> dict[str, Database]:
    return {service: harness.database(service) for service in SERVICES}


def becomes_quiet(harness: Harness, limit: float = QUIET_LIMIT) -> float:
    """Wait until nothing is in flight; returns the seconds. After the limit AssertionError with what still is."""
    began, pause = monotonic(), Event()
    while (busy := verifier.still_under_way(databases(harness))) is not None:
        assert monotonic() - began < limit, f"not quiet after {limit:g} s: {busy}"
        pause.wait(LOOK_EVERY)
    return monotonic() - began


def holds(harness: Harness, limit: float = QUIET_LIMIT) -> float:
    """Wait for quiet, then assert that `clerk verify` finds nothing. Returns the seconds to quiet."""
    seconds = becomes_quiet(harness, limit)
    violations = [str(violation) for violation in verifier.check(databases(harness))]
    assert not violations, "\n".join(violations[:40])
    return seconds
