"""The roads between a process and its servers: cut, closed, a black hole, slow, or broken just when it counts.

Nothing is restarted: once the road is whole again, the shop goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from scenario_tests.faults.ground import SERVERS, Server
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.faults.road import COMMIT, CONFIRM, Road, Way
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import lasts, until

LASTS = 4.0
"""Seconds of a usual fault."""
UNTIL_NOTICED = 35.0
"""Seconds in which both ends of an AMQP connection miss their heartbeats."""
DELAY = 0.1
"""Seconds by which everything is late on a slow road."""
_SEEN_LIMIT = 20.0
_Fault = Callable[[Blow, Road], None]


def _cut(blow: Blow, road: Road) -> None:
    blow.finds_work()
    many = road.connections
    road.cut()
    assert many, "there was no connection to cut"
    blow.lands(f"{many} connections cut")


def _closed(blow: Blow, road: Road) -> None:
    blow.finds_work()
    before = road.turned_away
    road.close()
    until(lambda: road.turned_away > before, "somebody finds the road closed", _SEEN_LIMIT)
    blow.lands("connections cut, and the road closed")
    lasts(LASTS)
    blow.evidence.append(f"{road.turned_away - before} turned away")
    road.heal()


def _black_hole(*ways: Way, seconds: float = LASTS) -> _Fault:
    def strikes(blow: Blow, road: Road) -> None:
        blow.finds_work()
        before = sum(road.held[way] for way in ways)
        road.block(*ways)
        until(lambda: sum(road.held[way] for way in ways) > before, "something is swallowed", _SEEN_LIMIT)
        blow.lands(f"{sum(road.held[way] for way in ways) - before} sends swallowed, {' and '.join(ways)}")
        lasts(seconds)
        road.heal()

    return strikes


def _slow(blow: Blow, road: Road) -> None:
    blow.finds_work()
    before = road.late
    road.slow(DELAY)
    until(lambda: road.late > before, "something is late", _SEEN_LIMIT)
    blow.lands(f"everything {DELAY:g} s late")
    lasts(LASTS)
    blow.evidence.append(f"{road.late - before} bytes were late")
    road.heal()


def _trapped(way: Way, mark: bytes, *, lets_it_pass: bool) -> _Fault:
    def strikes(blow: Blow, road: Road) -> None:
        blow.finds_work()
        trap = road.trap(way, mark, lets_it_pass=lets_it_pass)
        until(trap.sprung.is_set, f"{mark!r} comes by", _SEEN_LIMIT)
        blow.lands(f"cut at {mark!r}, which {'arrived' if lets_it_pass else 'did not arrive'}")

    return strikes


def _on(service: str, server: Server, fault: _Fault) -> Callable[[Blow], None]:
    return lambda blow: fault(blow, blow.ground.road(service, server))


def _on_all(server: Server, fault: _Fault) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        for road in blow.ground.all_roads(server):
            fault(blow, road)

    return strikes


ON_ANY_LINK: dict[str, _Fault] = {
    "cut": _cut,
    "closed for a while": _closed,
    "a black hole": _black_hole("there", "back"),
    "a black hole there": _black_hole("there"),
    "a black hole back": _black_hole("back"),
    "slow": _slow,
}
AT_ONE_MESSAGE: dict[tuple[Server, str], _Fault] = {
    ("broker", "cut before a confirm"): _trapped("back", CONFIRM, lets_it_pass=False),
    ("database", "cut before a commit"): _trapped("there", COMMIT, lets_it_pass=False),
    ("database", "cut before a commit's answer"): _trapped("there", COMMIT, lets_it_pass=True),
}


def _harms() -> Iterator[Harm]:
    for service, server in product(SERVICES, SERVERS):
        place = f"the road from {service} to the {server}"
        for what, fault in ON_ANY_LINK.items():
            yield Harm("partition", f"{place} is {what}", _on(service, server, fault), hurts=frozenset({service}))
        for (where, what), fault in AT_ONE_MESSAGE.items():
            if where == server:
                yield Harm("broker lost", f"{place} is {what}", _on(service, server, fault), hurts=frozenset({service}))
    for server in SERVERS:
        yield Harm("partition", f"all roads to the {server} are cut", _on_all(server, _cut))
    for service in ("shop_manager", "risk"):
        noticed = _black_hole("there", "back", seconds=UNTIL_NOTICED)
        name = f"the road from {service} to the broker is a black hole until that is noticed"
        yield Harm("partition", name, _on(service, "broker", noticed), cost=UNTIL_NOTICED + 15.0)


HARMS = tuple(_harms())
