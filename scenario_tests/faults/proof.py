"""The end of every fault test: quiet within a bound, and then not one drift in the five databases (`clerk verify`)."""

from __future__ import annotations

from threading import Event
from time import monotonic

import verifier
from messaging.database import Database
from scenario_tests.stage import SERVICES, Stage

QUIET_LIMIT = 60.0
"""Seconds from the end of a fault to quiet; reaching it is an invariant itself."""
LOOK_EVERY = 0.2


def databases(stage: Stage) -> dict[str, Database]:
    return {service: stage.database(service) for service in SERVICES}


def becomes_quiet(stage: Stage, limit: float = QUIET_LIMIT) -> float:
    """Seconds until nothing is in flight any more; AssertionError with what still is, after the limit."""
    began, pause = monotonic(), Event()
    while (busy := verifier.quiet(databases(stage))) is not None:
        assert monotonic() - began < limit, f"not quiet after {limit:g} s: {busy}"
        pause.wait(LOOK_EVERY)
    return monotonic() - began


def holds(stage: Stage, limit: float = QUIET_LIMIT) -> float:
    """Quiet, then verified. Returns the seconds to quiet."""
    seconds = becomes_quiet(stage, limit)
    drifts = [str(drift) for drift in verifier.check(databases(stage))]
    assert not drifts, "\n".join(drifts[:40])
    return seconds
