"""Clocks that are wrong: an hour ahead, an hour behind, or no two alike. No order expires because of it (semantics T4).

The processes get theirs from libfaketime (Debian's package of that name); databases and broker keep the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.servers import wrong_clock
from scenario_tests.waiting import lasts

LASTS = 5.0
HOUR = 3600
NEARLY = 60
"""By so many seconds a clock may differ from what it should show."""
STARTED_IN = 6.0
SKEWED = {"shop_manager": HOUR, "risk": -HOUR, "payment": HOUR // 2}


def missing() -> str | None:
    return None if wrong_clock.installed() else "libfaketime is not installed"


def _wrong(offsets: Mapping[str, int]) -> Callable[[Injection], None]:
    """`offsets`: service → seconds by which its clock is ahead."""

    def inject(injection: Injection) -> None:
        with _wrong_clocks(injection.environment, offsets):
            injection.waits_for_work()
            injection.fired(
                ", ".join(f"{service} is {_off(injection.environment, service):+d} s off" for service in offsets)
            )
            for service, seconds in offsets.items():
                assert abs(_off(injection.environment, service) - seconds) < NEARLY, (
                    f"the clock of {service} is not as it should be"
                )
            lasts(LASTS)

    return inject


@contextmanager
def _wrong_clocks(environment: Environment, offsets: Mapping[str, int]) -> Iterator[None]:
    for service, seconds in offsets.items():
        environment.harness.process(service).variables |= wrong_clock.environment(seconds)
    try:
        for service in offsets:
            environment.restart(service)
        yield
    finally:
        for service, seconds in offsets.items():
            for variable in wrong_clock.environment(seconds):
                environment.harness.process(service).variables.pop(variable)
    for service in offsets:
        environment.restart(service)


def _off(environment: Environment, service: str) -> int:
    """By how many seconds its clock is ahead of ours, as its answers say."""
    answer = httpx.get(f"{environment.harness.url_of(service)}/health/live", trust_env=False, timeout=5.0)
    return round((parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds())


def _faults() -> Iterator[Fault]:
    for told, seconds in (("an hour ahead", HOUR), ("an hour behind", -HOUR)):
        for service in SERVICES:
            name = f"the clock of {service} is {told}"
            yield Fault("clock", name, _wrong({service: seconds}), LASTS + 2 * STARTED_IN, missing=missing)
    yield Fault("clock", "no two of three clocks agree", _wrong(SKEWED), LASTS + 6 * STARTED_IN, missing=missing)


FAULTS = tuple(_faults())
