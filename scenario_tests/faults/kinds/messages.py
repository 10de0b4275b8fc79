"""Messages that come twice, fifty times, an hour later, in another order or never, and bad ones among the good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

from sqlalchemy import select

from domain.times import from_wire, hours, to_wire
from messaging.memory import route
from scenario_tests.api_client import ApiClient
from scenario_tests.bad_messages import BAD, made_unique, parked_id
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.order_under_test import ENDED
from scenario_tests.shop import Shop, queue_of
from scenario_tests.traffic import InTransit, Kind, Selector
from scenario_tests.waiting import lasts, until
from shop_manager.engine.tables import clerks, technical

LASTS = 4.0
SEEN_LIMIT = 30.0
COPIES = 60
"""Deliveries that are sent once more after their orders have ended."""
ROUNDS = 3
MAY_GROW_KB = 48 * 1024
"""By so much a process may grow while it is sent the same bad messages again, eleven megabytes of them."""
PLAYED_IN = 12.0
SOON = 4
_numbers = count(1)


def _multiplied(times: int) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        with (
            injection.environment.harness.traffic() as traffic,
            traffic.doubling(Selector(), times),
            traffic.copying() as seen,
        ):
            injection.waits_for_work()
            until(lambda: len(seen) > 0, "something goes by", SEEN_LIMIT)
            injection.fired(f"every delivery {times} times")
            lasts(LASTS)
        injection.evidence.append(f"{len(seen)} deliveries, {len(seen) * times} arrived")

    return inject


def _an_hour_later(injection: Injection) -> None:
    """A stand-in: the copies are kept until their orders have ended, and their messages say they are an hour old."""
    environment = injection.environment
    with environment.harness.traffic() as traffic, traffic.copying() as copies:
        injection.waits_for_work()
        until(lambda: len(copies) >= COPIES, f"{COPIES} deliveries went by", SEEN_LIMIT)
    concerned = {message["clerk"] for delivery in copies[:COPIES] for message in delivery.messages}
    until(
        lambda: len(_ended(environment, concerned)) > len(concerned) // 2, "half of their orders have ended", SEEN_LIMIT
    )
    for delivery in copies[:COPIES]:
        queue = route(delivery.destination, delivery.topic)
        assert queue is not None
        environment.harness.put(queue, _aged(delivery), delivery.sender)
    ended = len(_ended(environment, concerned))
    injection.fired(f"{COPIES} deliveries again, an hour old, of {len(concerned)} orders, {ended} of them ended")


def _aged(delivery: InTransit) -> bytes:
    aged = [{**each, "sent_at": to_wire(from_wire(each["sent_at"]) - hours(1))} for each in delivery.messages]
    return json.dumps(aged).encode()


def _ended(environment: Environment, concerned: set[str]) -> set[str]:
    with environment.harness.database("shop_manager").read() as tx:
        ended = select(clerks.c.id).where(clerks.c.status.in_(ENDED), clerks.c.id.in_(concerned))
        return {str(row.id) for row in tx.execute(ended)}


def _shuffled(injection: Injection) -> None:
    with injection.environment.harness.traffic() as traffic, traffic.holding(Selector()) as held:
        injection.waits_for_work()
        until(lambda: len(held.deliveries) > 1, "some are held", SEEN_LIMIT)
        lasts(LASTS)
        many = len(held.deliveries)
        injection.fired(f"{many} deliveries in another order")
        held.let_go_shuffled(injection.chance)


def _lost(kind: Kind) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        with injection.environment.harness.traffic() as traffic, traffic.holding(Selector(kind)) as held:
            injection.waits_for_work()
            until(lambda: len(held.deliveries) > 0, f"some {kind} comes by", SEEN_LIMIT)
            many = len(held.deliveries)
            injection.fired(f"{many} or more deliveries of {kind}s lost for good")
            held.loses_everything()

    return inject


def _bad(service: str) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        environment, queue = injection.environment, queue_of(service)
        injection.waits_for_work()
        ids = _put(environment, service)
        injection.fired(f"{len(ids)} bad messages on {queue}")
        _parked_once(environment, service, ids)
        before = _memory_kb(environment, service)
        for _ in range(ROUNDS):
            _parked_once(environment, service, _put(environment, service))
        grown = _memory_kb(environment, service) - before
        assert grown < MAY_GROW_KB, f"{service} grew by {grown} KB"
        until(lambda: environment.harness.depth(queue) == 0, "the queue moves on", SEEN_LIMIT)
        injection.evidence.append(
            f"each parked once; {ROUNDS} rounds more: {service} grew by {max(0, grown) // 1024} MB"
        )

    return inject


def _put(environment: Environment, service: str) -> set[str]:
    """Put one bad message of each kind on the queue, twice. Returns the ids under which they are to be parked."""
    suffix = f"{next(_numbers)}"
    bodies = [made_unique(body, suffix) for body in BAD.values()]
    sender = "risk" if service == "shop_manager" else "shop_manager"
    for body in [*bodies, *bodies]:
        environment.harness.put(queue_of(service), body, sender)
    return {parked_id(service, body) for body in bodies}


def _parked_once(environment: Environment, service: str, ids: set[str]) -> None:
    def there() -> list[str]:
        with environment.harness.database("shop_manager").read() as tx:
            parked = technical.parked
            found = select(parked.c.id).where(parked.c.id.in_(ids), parked.c.reason != "")
            return [str(row.id) for row in tx.execute(found)]

    until(lambda: sorted(there()) == sorted(ids), f"what is bad for {service} is parked, each once", SEEN_LIMIT)


def _memory_kb(environment: Environment, service: str) -> int:
    """What the process has in memory now."""
    running = environment.harness.process(service).running
    assert running is not None
    with open(f"/proc/{running.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def _late_answer(command: str) -> Callable[[Injection], None]:
    """With an order of our own, whose deadline passes while all answers to the command are held back."""

    def inject(injection: Injection) -> None:
        api = ApiClient(injection.environment.harness)
        shop = Shop(injection.environment.harness, api, f"late{next(_numbers)}")
        shop.stocks("BONE", 1)
        injection.waits_for_work()
        with shop.holds_back_answer(command) as held:
            clerk = shop.guest("tok_ok").orders({"BONE": 1}, expires_in=SOON)
            held.until_there(clerk.id)
            clerk.becomes("expired")
            injection.fired(f"answers to {command} were held back until a deadline had passed")
            held.let_go()
            clerk.has_ignored("late")
        assert shop.stock_of("BONE").reserved == 0
        api.close()

    return inject


def _faults() -> Iterator[Fault]:
    for times, words in ((2, "twice"), (50, "fifty times")):
        yield Fault("messages", f"everything comes {words}", _multiplied(times), PLAYED_IN + times / 5)
    yield Fault("messages", "everything comes again an hour later", _an_hour_later, PLAYED_IN)
    yield Fault("messages", "everything comes in another order", _shuffled, PLAYED_IN)
    kinds: tuple[Kind, ...] = ("command", "answer")
    for kind in kinds:
        yield Fault("messages", f"some {kind}s are lost", _lost(kind), PLAYED_IN)
    for service in ("shop_manager", "risk"):
        yield Fault("bad messages", f"bad messages for {service}", _bad(service), PLAYED_IN + 10.0)
    for command in ("ReserveCredit", "AllocateStock"):
        yield Fault("deadline", f"the answer to {command} comes after the deadline", _late_answer(command), PLAYED_IN)


FAULTS = tuple(_faults())
