"""Processes that die or stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until

STANDS_STILL = 5.0
"""Seconds; more than a command's answer takes, less than a step may take."""


def _killed(service: str) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        blow.finds_work()
        blow.ground.stage.kill(service)
        blow.lands(f"{service} killed")
        blow.ground.stage.start(service)

    return strikes


def _paused(service: str) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        blow.finds_work()
        with blow.ground.paused(service):
            until(lambda: blow.ground.waiting_for_consumers() > 0, f"deliveries wait for {service}", 2 * STANDS_STILL)
            blow.lands(f"{service} stopped, {blow.ground.waiting_for_consumers()} deliveries waited")

    return strikes


def _harms() -> Iterator[Harm]:
    for (what, does, row), service in product((("killed", _killed, "killed"), ("paused", _paused, "stop")), SERVICES):
        yield Harm(row, f"{service} is {what}", does(service))


HARMS = tuple(_harms())
