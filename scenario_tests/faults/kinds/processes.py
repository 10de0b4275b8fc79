"""Processes that are killed, ended or paused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.waiting import until

SHORT, LONG = 5.0, 45.0
"""Seconds that a process is paused: a short while; and so long that the broker closes its connection."""
STOPS_WITHIN = 5.0
"""Seconds (docs/design/api.md)."""
PLAYED_IN = 4.0


def _killed(service: str) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        injection.waits_for_work()
        injection.environment.harness.kill(service)
        injection.fired(f"{service} killed")
        injection.environment.harness.start(service)

    return inject


def _paused(service: str, seconds: float) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        injection.waits_for_work()
        end = monotonic() + seconds
        with injection.environment.paused(service):
            until(
                lambda: monotonic() > end and bool(injection.in_flight()),
                f"Clerks wait while {service} stands still",
                2 * seconds,
            )
            injection.fired(f"{service} stood still for {seconds:g} s, {len(injection.in_flight())} Clerks waited")

    return inject


def _stopped(service: str) -> Callable[[Injection], None]:
    """SIGTERM, as at a deployment: it finishes the work that it has begun, and ends by itself in time."""

    def inject(injection: Injection) -> None:
        injection.waits_for_work()
        running = injection.environment.harness.process(service).running
        assert running is not None
        told = monotonic()
        injection.environment.harness.stop(service)
        seconds = monotonic() - told
        assert (running.returncode, seconds < STOPS_WITHIN) == (0, True), f"{running.returncode} after {seconds:.1f} s"
        injection.fired(f"{service} ended within {seconds:.1f} s of SIGTERM")
        injection.environment.harness.start(service)

    return inject


def _faults() -> Iterator[Fault]:
    for service in SERVICES:
        alone = frozenset({service})
        yield Fault("killed", f"{service} is killed", _killed(service), affects=alone)
        yield Fault("stop", f"{service} is told to end", _stopped(service), affects=alone)
        yield Fault("stop", f"{service} is paused", _paused(service, SHORT), PLAYED_IN + SHORT, alone)
    for service in ("shop_manager", "payment"):
        yield Fault(
            "stop", f"{service} is paused until the broker gives it up", _paused(service, LONG), PLAYED_IN + LONG
        )


FAULTS = tuple(_faults())
