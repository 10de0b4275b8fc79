"""Processes that die at a named point of their work (messaging/failpoints.py): each point, each kind of message, an
undo, and the first thing after every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.messages import SHOP_MANAGER
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.failpoints import POINTS, Point
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.faults.selection import USUAL_COST
from scenario_tests.harness import SERVICES
from scenario_tests.waiting import until
from shop_manager.processes import discover

AT_A_REQUEST: tuple[Point, ...] = ("http_before_commit", "http_after_commit")
WITH_REQUESTS = ("shop_manager", "payment", "fulfillment")
"""The services that the load generator sends requests to: to open, cancel, pay and ship."""
AT_THE_PROVIDER: tuple[Point, ...] = ("provider_answered",)
AT_WORK = [point for point in POINTS if point not in (*AT_A_REQUEST, *AT_THE_PROVIDER)]
AT_A_MESSAGE: tuple[Point, ...] = ("in_transaction", "committed")
LATEST, LATEST_OF_ONE = 6, 2
"""The process dies when it has reached the point a random number of times, up to this; less often for one command."""
REACHED_LIMIT = 60.0
"""Seconds; some commands are rare, such as those that undo a late step."""
STARTS = 3
"""A process dies this often at the same message; from the fifth time on the message would be parked (semantics B2)."""


def _dies_at(service: str, point: str, latest: int = LATEST) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        failpoint = f"{point}:{injection.chance.randint(1, latest)}"
        injection.waits_for_work()
        injection.environment.arm(service, failpoint)
        injection.environment.dies(service, failpoint, REACHED_LIMIT)
        injection.waits_for_work()
        injection.fired(f"{service} died at {failpoint}")
        _comes_back(injection, service)

    return inject


def _dies_at_what_came_back(service: str) -> Callable[[Injection], None]:
    """The point `counted` is only reached with deliveries that a killed process had not acknowledged."""

    def inject(injection: Injection) -> None:
        injection.waits_for_work()
        queue = REPLIES_QUEUE if service == SHOP_MANAGER else commands_queue(service)
        with injection.environment.paused(service):
            until(
                lambda: injection.environment.in_hands(queue) > 0, f"{service} has deliveries in hand, and stands still"
            )
            injection.environment.arm(service, "counted")
        injection.environment.dies(service, "counted")
        injection.waits_for_work()
        injection.fired(f"{service} died at counted, with deliveries that came back")
        _comes_back(injection, service)

    return inject


def _dies_at_every_start(service: str, point: str) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        injection.waits_for_work()
        injection.environment.arm(service, point)
        for start in range(1, STARTS + 1):
            injection.environment.dies(service, point)
            injection.waits_for_work()
            injection.fired(f"{service} died at {point} after start {start}")
            if start < STARTS:
                injection.environment.harness.process(service).start()
        _comes_back(injection, service)

    return inject


def _comes_back(injection: Injection, service: str) -> None:
    """The process runs again without the failpoint: a fault that is injected at the same time may need it."""
    injection.environment.disarm(service)
    injection.environment.harness.start(service)


def _commands() -> Iterator[tuple[str, str]]:
    """Every command that a process sends to a service, as (service, command), once."""
    steps = [step for process in discover() for step in process.steps]
    yield from dict.fromkeys((step.asks, name) for step in steps for name in (step.do, step.undo) if name)


def _killed(service: str, where: str, inject: Callable[[Injection], None], cost: float = USUAL_COST) -> Fault:
    return Fault("killed", f"{service} dies at {where}", inject, cost, frozenset({service}))


def _faults() -> Iterator[Fault]:
    for service in SERVICES:
        for point in AT_WORK:
            came_back = point == "counted"
            yield _killed(service, point, _dies_at_what_came_back(service) if came_back else _dies_at(service, point))
        yield _killed(service, "every start", _dies_at_every_start(service, "in_transaction"), 14.0)
    for point in AT_THE_PROVIDER:
        yield _killed("payment", point, _dies_at("payment", point))
    for service in WITH_REQUESTS:
        for point in AT_A_REQUEST:
            yield _killed(service, point, _dies_at(service, point))
    for service, command in _commands():
        for point in AT_A_MESSAGE:
            yield _killed(service, f"{point} of {command}", _dies_at(service, f"{point}/{command}", LATEST_OF_ONE))
        answered = _dies_at(SHOP_MANAGER, f"in_transaction/{command}", LATEST_OF_ONE)
        yield _killed(SHOP_MANAGER, f"in_transaction of the answer to {command}", answered)


FAULTS = tuple(_faults())
