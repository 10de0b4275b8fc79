"""Processes that die or stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until

SHORT, LONG = 5.0, 45.0
"""Seconds that a process stands still: a short while; and so long that the broker gives its connection up."""
STOPS_WITHIN = 5.0
"""Seconds (api.md)."""
PLAYED_IN = 4.0


def _killed(service: str) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        blow.finds_work()
        blow.ground.stage.kill(service)
        blow.lands(f"{service} killed")
        blow.ground.stage.start(service)

    return strikes


def _paused(service: str, seconds: float) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        blow.finds_work()
        end = monotonic() + seconds
        with blow.ground.paused(service):
            until(
                lambda: monotonic() > end and bool(blow.in_flight()),
                f"Clerks wait while {service} stands still",
                2 * seconds,
            )
            blow.lands(f"{service} stood still for {seconds:g} s, {len(blow.in_flight())} Clerks waited")

    return strikes


def _stopped(service: str) -> Callable[[Blow], None]:
    """SIGTERM, as at a deployment: it finishes what it has in hand, and ends by itself in time."""

    def strikes(blow: Blow) -> None:
        blow.finds_work()
        running = blow.ground.stage.process(service).running
        assert running is not None
        told = monotonic()
        blow.ground.stage.stop(service)
        seconds = monotonic() - told
        assert (running.returncode, seconds < STOPS_WITHIN) == (0, True), f"{running.returncode} after {seconds:.1f} s"
        blow.lands(f"{service} ended within {seconds:.1f} s of SIGTERM")
        blow.ground.stage.start(service)

    return strikes


def _harms() -> Iterator[Harm]:
    for service in SERVICES:
        alone = frozenset({service})
        yield Harm("killed", f"{service} is killed", _killed(service), hurts=alone)
        yield Harm("stop", f"{service} is told to end", _stopped(service), hurts=alone)
        yield Harm("stop", f"{service} is paused", _paused(service, SHORT), PLAYED_IN + SHORT, alone)
    for service in ("shop_manager", "payment"):
        yield Harm(
            "stop", f"{service} is paused until the broker gives it up", _paused(service, LONG), PLAYED_IN + LONG
        )


HARMS = tuple(_harms())
