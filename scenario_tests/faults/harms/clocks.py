"""Clocks that are wrong: an hour ahead, an hour behind, or no two alike. Nobody's order expires of it (T4).

The processes get theirs from libfaketime (Debian's package of that name); databases and broker keep the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.servers import wrong_clock
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import lasts

LASTS = 5.0
HOUR = 3600
NEARLY = 60
"""Seconds within which a clock shows what it should."""
STARTED_IN = 6.0
SKEWED = {"shop_manager": HOUR, "risk": -HOUR, "payment": HOUR // 2}


def missing() -> str | None:
    return None if wrong_clock.installed() else "libfaketime is not installed"


def _wrong(offsets: Mapping[str, int]) -> Callable[[Blow], None]:
    """`offsets`: service → seconds by which its clock is ahead."""

    def strikes(blow: Blow) -> None:
        with _wrong_clocks(blow.ground, offsets):
            blow.finds_work()
            blow.lands(", ".join(f"{service} is {_off(blow.ground, service):+d} s off" for service in offsets))
            for service, seconds in offsets.items():
                assert abs(_off(blow.ground, service) - seconds) < NEARLY, f"the clock of {service} is not as wished"
            lasts(LASTS)

    return strikes


@contextmanager
def _wrong_clocks(ground: Ground, offsets: Mapping[str, int]) -> Iterator[None]:
    for service, seconds in offsets.items():
        ground.stage.process(service).environment |= wrong_clock.environment(seconds)
    try:
        for service in offsets:
            ground.restart(service)
        yield
    finally:
        for service, seconds in offsets.items():
            for variable in wrong_clock.environment(seconds):
                ground.stage.process(service).environment.pop(variable)
    for service in offsets:
        ground.restart(service)


def _off(ground: Ground, service: str) -> int:
    """By how many seconds its clock is ahead of ours, as its answers say."""
    answer = httpx.get(f"{ground.stage.door(service)}/health/live", trust_env=False, timeout=5.0)
    return round((parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds())


def _harms() -> Iterator[Harm]:
    for told, seconds in (("an hour ahead", HOUR), ("an hour behind", -HOUR)):
        for service in SERVICES:
            name = f"the clock of {service} is {told}"
            yield Harm("clock", name, _wrong({service: seconds}), LASTS + 2 * STARTED_IN, missing=missing)
    yield Harm("clock", "no two of three clocks agree", _wrong(SKEWED), LASTS + 6 * STARTED_IN, missing=missing)


HARMS = tuple(_harms())
