"""Messages that come twice, fifty times, an hour later, in another order or never, and bad ones among the good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

from sqlalchemy import select

from domain.times import from_wire, hours, to_wire
from messaging.memory import route
from scenario_tests.bad_messages import BAD, marked, parked_id
from scenario_tests.clerk_on_stage import ENDED
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.shop import Shop, queue_of
from scenario_tests.traffic import Freight, Kind, Which
from scenario_tests.waiting import lasts, until
from scenario_tests.wire import Wire
from shop_manager.store import clerks, schema

LASTS = 4.0
SEEN_LIMIT = 30.0
COPIES = 60
"""Deliveries that come once more when all is over."""
ROUNDS = 3
MAY_GROW_KB = 48 * 1024
"""By so much a process may grow while it is sent the same bad messages again, with their eleven megabytes."""
PLAYED_IN = 12.0
SOON = 4
_marks = count(1)


def _multiplied(times: int) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        with blow.ground.stage.traffic() as traffic, traffic.doubling(Which(), times), traffic.copying() as seen:
            blow.finds_work()
            until(lambda: len(seen) > 0, "something goes by", SEEN_LIMIT)
            blow.lands(f"every delivery {times} times")
            lasts(LASTS)
        blow.evidence.append(f"{len(seen)} deliveries, {len(seen) * times} arrived")

    return strikes


def _an_hour_later(blow: Blow) -> None:
    """A stand-in: the copies are kept until their orders have ended, and their messages say they are an hour old."""
    ground = blow.ground
    with ground.stage.traffic() as traffic, traffic.copying() as copies:
        blow.finds_work()
        until(lambda: len(copies) >= COPIES, f"{COPIES} deliveries went by", SEEN_LIMIT)
    concerned = {message["clerk"] for freight in copies[:COPIES] for message in freight.messages}
    until(lambda: len(_ended(ground, concerned)) > len(concerned) // 2, "half of their orders have ended", SEEN_LIMIT)
    for freight in copies[:COPIES]:
        queue = route(freight.exchange, freight.routing_key)
        assert queue is not None
        ground.stage.put(queue, _aged(freight))
    ended = len(_ended(ground, concerned))
    blow.lands(f"{COPIES} deliveries again, an hour old, of {len(concerned)} orders, {ended} of them ended")


def _aged(freight: Freight) -> bytes:
    aged = [{**each, "sent_at": to_wire(from_wire(each["sent_at"]) - hours(1))} for each in freight.messages]
    return json.dumps(aged).encode()


def _ended(ground: Ground, concerned: set[str]) -> set[str]:
    with ground.stage.database("shop_manager").read() as tx:
        ended = select(clerks.c.id).where(clerks.c.status.in_(ENDED), clerks.c.id.in_(concerned))
        return {str(row.id) for row in tx.execute(ended)}


def _shuffled(blow: Blow) -> None:
    with blow.ground.stage.traffic() as traffic, traffic.holding(Which()) as held:
        blow.finds_work()
        until(lambda: len(held.freights) > 1, "some are held", SEEN_LIMIT)
        lasts(LASTS)
        many = len(held.freights)
        blow.lands(f"{many} deliveries in another order")
        held.let_go_shuffled(blow.chance)


def _lost(kind: Kind) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        with blow.ground.stage.traffic() as traffic, traffic.holding(Which(kind)) as held:
            blow.finds_work()
            until(lambda: len(held.freights) > 0, f"some {kind} comes by", SEEN_LIMIT)
            many = len(held.freights)
            blow.lands(f"{many} or more deliveries of {kind}s lost for good")
            held.loses_everything()

    return strikes


def _bad(service: str) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        ground, queue = blow.ground, queue_of(service)
        blow.finds_work()
        ids = _put(ground, service)
        blow.lands(f"{len(ids)} bad messages on {queue}")
        _parked_once(ground, service, ids)
        before = _memory_kb(ground, service)
        for _ in range(ROUNDS):
            _parked_once(ground, service, _put(ground, service))
        grown = _memory_kb(ground, service) - before
        assert grown < MAY_GROW_KB, f"{service} grew by {grown} KB"
        until(lambda: ground.stage.depth(queue) == 0, "the queue moves on", SEEN_LIMIT)
        blow.evidence.append(f"each parked once; {ROUNDS} rounds more: {service} grew by {max(0, grown) // 1024} MB")

    return strikes


def _put(ground: Ground, service: str) -> set[str]:
    """One of each kind, twice. Returns under which ids they are to be parked."""
    mark = f"{next(_marks)}"
    bodies = [marked(body, mark) for body in BAD.values()]
    for body in [*bodies, *bodies]:
        ground.stage.put(queue_of(service), body)
    return {parked_id(service, body) for body in bodies}


def _parked_once(ground: Ground, service: str, ids: set[str]) -> None:
    def there() -> list[str]:
        with ground.stage.database("shop_manager").read() as tx:
            parked = schema.parked
            found = select(parked.c.id).where(parked.c.id.in_(ids), parked.c.reason != "")
            return [str(row.id) for row in tx.execute(found)]

    until(lambda: sorted(there()) == sorted(ids), f"what is bad for {service} is parked, each once", SEEN_LIMIT)


def _memory_kb(ground: Ground, service: str) -> int:
    """What the process has in memory now."""
    running = ground.stage.process(service).running
    assert running is not None
    with open(f"/proc/{running.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def _late_answer(command: str) -> Callable[[Blow], None]:
    """Of an order of our own, whose deadline passes while all answers of the kind are held back."""

    def strikes(blow: Blow) -> None:
        wire = Wire(blow.ground.stage)
        shop = Shop(blow.ground.stage, wire, f"late{next(_marks)}")
        shop.stocks("BONE", 1)
        blow.finds_work()
        with shop.holds_back_answer(command) as held:
            clerk = shop.guest("tok_ok").orders({"BONE": 1}, expires_in=SOON)
            held.until_there(clerk.id)
            clerk.becomes("expired")
            blow.lands(f"answers to {command} were held back until a deadline had passed")
            held.let_go()
            clerk.has_ignored("late")
        assert shop.stock_of("BONE").reserved == 0
        wire.close()

    return strikes


def _harms() -> Iterator[Harm]:
    for times, words in ((2, "twice"), (50, "fifty times")):
        yield Harm("messages", f"everything comes {words}", _multiplied(times), PLAYED_IN + times / 5)
    yield Harm("messages", "everything comes again an hour later", _an_hour_later, PLAYED_IN)
    yield Harm("messages", "everything comes in another order", _shuffled, PLAYED_IN)
    kinds: tuple[Kind, ...] = ("command", "answer")
    for kind in kinds:
        yield Harm("messages", f"some {kind}s are lost", _lost(kind), PLAYED_IN)
    for service in ("shop_manager", "risk"):
        yield Harm("bad messages", f"bad messages for {service}", _bad(service), PLAYED_IN + 10.0)
    for command in ("ReserveCredit", "AllocateStock"):
        yield Harm("deadline", f"the answer to {command} comes after the deadline", _late_answer(command), PLAYED_IN)


HARMS = tuple(_harms())
