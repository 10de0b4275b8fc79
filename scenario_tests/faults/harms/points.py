"""Processes that die at a named point of their work (messaging/failpoints.py): each point, each kind of message, an
undo, and the first thing after every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.messages import SHOP_MANAGER
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.failpoints import POINTS, Point
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.faults.selection import USUAL_COST
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until
from shop_manager.processes import discover

OF_A_DOOR: tuple[Point, ...] = ("http_before_commit", "http_after_commit")
DOORS = ("shop_manager", "payment", "fulfillment")
"""Whose doors the crowd asks for something: to open, cancel, pay and ship."""
OF_A_PROVIDER: tuple[Point, ...] = ("provider_answered",)
OF_WORK = [point for point in POINTS if point not in (*OF_A_DOOR, *OF_A_PROVIDER)]
AT_A_MESSAGE: tuple[Point, ...] = ("in_transaction", "committed")
LATEST, LATEST_OF_ONE = 6, 2
"""The point is reached so many times at most before the process dies there; with messages of one command less often."""
REACHED_LIMIT = 60.0
"""Seconds; some commands are rare, such as those that undo a late step."""
STARTS = 3
"""A process that dies this often at the same message; from the fifth on it would be the message's fault (B2)."""


def _dies_at(service: str, point: str, latest: int = LATEST) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        failpoint = f"{point}:{blow.chance.randint(1, latest)}"
        blow.finds_work()
        blow.ground.arm(service, failpoint)
        blow.ground.dies(service, failpoint, REACHED_LIMIT)
        blow.finds_work()
        blow.lands(f"{service} died at {failpoint}")
        _stands_up(blow, service)

    return strikes


def _dies_at_what_came_back(service: str) -> Callable[[Blow], None]:
    """The point `counted` is only reached with deliveries that were in a process' hands when it was killed."""

    def strikes(blow: Blow) -> None:
        blow.finds_work()
        queue = REPLIES_QUEUE if service == SHOP_MANAGER else commands_queue(service)
        with blow.ground.paused(service):
            until(lambda: blow.ground.in_hands(queue) > 0, f"{service} has deliveries in hand, and stands still")
            blow.ground.arm(service, "counted")
        blow.ground.dies(service, "counted")
        blow.finds_work()
        blow.lands(f"{service} died at counted, with deliveries that came back")
        _stands_up(blow, service)

    return strikes


def _dies_at_every_start(service: str, point: str) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        blow.finds_work()
        blow.ground.arm(service, point)
        for start in range(1, STARTS + 1):
            blow.ground.dies(service, point)
            blow.finds_work()
            blow.lands(f"{service} died at {point} after start {start}")
            if start < STARTS:
                blow.ground.stage.process(service).start()
        _stands_up(blow, service)

    return strikes


def _stands_up(blow: Blow, service: str) -> None:
    """The process is there again, and goes on living: another harm beside this one may need it."""
    blow.ground.disarm(service)
    blow.ground.stage.start(service)


def _commands() -> Iterator[tuple[str, str]]:
    """Every command that a process sends to a service, as (service, command), once."""
    steps = [step for process in discover() for step in process.steps]
    yield from dict.fromkeys((step.asks, name) for step in steps for name in (step.do, step.undo) if name)


def _killed(service: str, where: str, strikes: Callable[[Blow], None], cost: float = USUAL_COST) -> Harm:
    return Harm("killed", f"{service} dies at {where}", strikes, cost, frozenset({service}))


def _harms() -> Iterator[Harm]:
    for service in SERVICES:
        for point in OF_WORK:
            came_back = point == "counted"
            yield _killed(service, point, _dies_at_what_came_back(service) if came_back else _dies_at(service, point))
        yield _killed(service, "every start", _dies_at_every_start(service, "in_transaction"), 14.0)
    for point in OF_A_PROVIDER:
        yield _killed("payment", point, _dies_at("payment", point))
    for service in DOORS:
        for point in OF_A_DOOR:
            yield _killed(service, point, _dies_at(service, point))
    for service, command in _commands():
        for point in AT_A_MESSAGE:
            yield _killed(service, f"{point} of {command}", _dies_at(service, f"{point}/{command}", LATEST_OF_ONE))
        answered = _dies_at(SHOP_MANAGER, f"in_transaction/{command}", LATEST_OF_ONE)
        yield _killed(SHOP_MANAGER, f"in_transaction of the answer to {command}", answered)


HARMS = tuple(_harms())
