"""The connections between a process and its servers: cut, refused, a black hole, slow, or cut at a confirm or commit.

Nothing is restarted: once the proxy passes everything again, the shop goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from messaging.tests.tcp_proxy import (
    COMMIT,
    CONFIRM,
    Direction,
    TcpProxy,
)
from scenario_tests.faults.environment import SERVERS, ServerKind
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.waiting import lasts, until

LASTS = 4.0
"""Seconds of a usual fault."""
UNTIL_NOTICED = 35.0
"""Seconds in which both ends of an AMQP connection miss their heartbeats."""
DELAY = 0.1
"""Seconds by which everything is late through a slow proxy."""
_SEEN_LIMIT = 20.0
_ProxyFault = Callable[[Injection, TcpProxy], None]


def _cut(injection: Injection, proxy: TcpProxy) -> None:
    injection.waits_for_work()
    many = proxy.connections
    proxy.cut()
    assert many, "there was no connection to cut"
    injection.fired(f"{many} connections cut")


def _closed(injection: Injection, proxy: TcpProxy) -> None:
    injection.waits_for_work()
    before = proxy.rejected
    proxy.reject()
    until(lambda: proxy.rejected > before, "a connection is rejected", _SEEN_LIMIT)
    injection.fired("connections cut, and new ones rejected")
    lasts(LASTS)
    injection.evidence.append(f"{proxy.rejected - before} turned away")
    proxy.heal()


def _black_hole(*ways: Direction, seconds: float = LASTS) -> _ProxyFault:
    def inject(injection: Injection, proxy: TcpProxy) -> None:
        injection.waits_for_work()
        before = sum(proxy.held[way] for way in ways)
        proxy.block(*ways)
        until(lambda: sum(proxy.held[way] for way in ways) > before, "something is swallowed", _SEEN_LIMIT)
        injection.fired(f"{sum(proxy.held[way] for way in ways) - before} sends swallowed, {' and '.join(ways)}")
        lasts(seconds)
        proxy.heal()

    return inject


def _slow(injection: Injection, proxy: TcpProxy) -> None:
    injection.waits_for_work()
    before = proxy.late
    proxy.slow(DELAY)
    until(lambda: proxy.late > before, "something is late", _SEEN_LIMIT)
    injection.fired(f"everything {DELAY:g} s late")
    lasts(LASTS)
    injection.evidence.append(f"{proxy.late - before} bytes were late")
    proxy.heal()


def _trapped(way: Direction, mark: bytes, *, lets_it_pass: bool) -> _ProxyFault:
    def inject(injection: Injection, proxy: TcpProxy) -> None:
        injection.waits_for_work()
        trap = proxy.trap(way, mark, lets_it_pass=lets_it_pass)
        until(trap.sprung.is_set, f"{mark!r} comes by", _SEEN_LIMIT)
        injection.fired(f"cut at {mark!r}, which {'arrived' if lets_it_pass else 'did not arrive'}")

    return inject


def _on(service: str, server: ServerKind, fault: _ProxyFault) -> Callable[[Injection], None]:
    return lambda injection: fault(injection, injection.environment.proxy(service, server))


def _on_all(server: ServerKind, fault: _ProxyFault) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        for proxy in injection.environment.all_proxies(server):
            fault(injection, proxy)

    return inject


ON_ANY_CONNECTION: dict[str, _ProxyFault] = {
    "cut": _cut,
    "closed for a while": _closed,
    "a black hole": _black_hole("there", "back"),
    "a black hole there": _black_hole("there"),
    "a black hole back": _black_hole("back"),
    "slow": _slow,
}
AT_ONE_MESSAGE: dict[tuple[ServerKind, str], _ProxyFault] = {
    ("broker", "cut before a confirm"): _trapped("back", CONFIRM, lets_it_pass=False),
    ("database", "cut before a commit"): _trapped("there", COMMIT, lets_it_pass=False),
    ("database", "cut before a commit's answer"): _trapped("there", COMMIT, lets_it_pass=True),
}


def _faults() -> Iterator[Fault]:
    """In names a connection is a `road`: recordings (docs/reliability) are told apart by them."""
    for service, server in product(SERVICES, SERVERS):
        place = f"the road from {service} to the {server}"
        for what, fault in ON_ANY_CONNECTION.items():
            yield Fault("partition", f"{place} is {what}", _on(service, server, fault), affects=frozenset({service}))
        for (where, what), fault in AT_ONE_MESSAGE.items():
            if where == server:
                yield Fault(
                    "broker lost", f"{place} is {what}", _on(service, server, fault), affects=frozenset({service})
                )
    for server in SERVERS:
        yield Fault("partition", f"all roads to the {server} are cut", _on_all(server, _cut))
    for service in ("shop_manager", "risk"):
        noticed = _black_hole("there", "back", seconds=UNTIL_NOTICED)
        name = f"the road from {service} to the broker is a black hole until that is noticed"
        yield Fault("partition", name, _on(service, "broker", noticed), cost=UNTIL_NOTICED + 15.0)


FAULTS = tuple(_faults())
