"""A broker that is there and refuses: queues that are gone, full or other ones, rights and passwords that were changed,
consumers that it sends away.

What cannot be sent stays unsent, is told in one clear line and not again and again, and goes out once it is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from messaging.topology import QUEUES, Queue
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.shop import queue_of
from scenario_tests.waiting import lasts, until

LASTS = 4.0
SEEN_LIMIT = 30.0
MOST_LINES = 3
"""Lines about the same trouble in one log while it lasts: a process has up to three links, each tells it once."""
CONNECTED = "connected to the broker"
NOT_ACKNOWLEDGED = "waiting for delivery acknowledgement"
PLAYED_IN = 18.0
TIMEOUT_MS = 1_500


def _unroutable(blow: Blow, service: str, sender: str) -> None:
    queue = _queue(service)
    blow.finds_work()
    with _told_once(blow, sender, "unroutable"):
        with blow.ground.channel() as channel:
            channel.queue_unbind(queue.name, queue.exchange, queue.pattern)
        _wait_told(blow.ground, sender, "unroutable")
        blow.lands(f"{queue.name} unbound: {_told(blow.ground, sender)}")
        lasts(LASTS)
    blow.ground.bring_back(queue)
    _sends_again(blow.ground, sender)


def _deleted(blow: Blow, service: str) -> None:
    """Its consumer is cancelled, and declares it anew."""
    ground, queue = blow.ground, _queue(service)
    blow.finds_work()
    before = ground.times_said(service, CONNECTED)
    with ground.channel() as channel:
        waiting = channel.queue_delete(queue.name).method.message_count
    blow.lands(f"{queue.name} deleted with {waiting} deliveries in it")
    until(lambda: ground.times_said(service, CONNECTED) > before, f"{service} connects anew", SEEN_LIMIT)
    until(lambda: _is_consumed(ground, queue), f"{queue.name} is there and consumed again", SEEN_LIMIT)


def _with_other_arguments(blow: Blow, service: str) -> None:
    ground, queue = blow.ground, _queue(service)
    blow.finds_work()
    with _told_once(blow, service, "exists with other arguments"):
        with ground.channel() as channel:
            channel.queue_delete(queue.name)
            channel.queue_declare(queue.name, durable=True)
        until(lambda: not _broker_check(ground, service).get("ok", True), "it is not ready", SEEN_LIMIT)
        _wait_told(ground, service, "exists with other arguments")
        blow.lands(f"another {queue.name} is there: {_told(ground, service)}")
        lasts(LASTS)
    ground.bring_back(queue)
    ground.all_ready()


def _full(blow: Blow, service: str, sender: str) -> None:
    """Nobody takes from it, and it takes no more; then the limit is lifted, which the broker does not tell the sender.

    The receiver is stopped: one that stands still would be given its two hundred deliveries first.
    """
    ground, queue = blow.ground, _queue(service)
    pattern, limit = f"^{queue.name.replace('.', '[.]')}$", '{"max-length": 1}'
    blow.finds_work()
    with _told_once(blow, sender, "refused by the broker"):
        ground.stage.stop(service)
        ground.broker.ctl("set_policy", "-p", ground.vhost, "full", pattern, limit, "--apply-to", "queues")
        try:
            _wait_told(ground, sender, "refused by the broker")
            blow.lands(f"{queue.name} full: {_told(ground, sender)}")
            lasts(LASTS)
        finally:
            ground.broker.ctl("clear_policy", "-p", ground.vhost, "full")
    ground.stage.start(service)
    _sends_again(ground, sender)


def _without_rights(blow: Blow, service: str) -> None:
    rights = ("set_permissions", "-p", blow.ground.vhost, "guest")
    _shut_out(blow, service, (*rights, "", "", ""), (*rights, ".*", ".*", ".*"), "no rights")


def _with_another_password(blow: Blow, service: str) -> None:
    change = ("change_password", "guest")
    _shut_out(blow, service, (*change, "another one"), (*change, "guest"), "password changed")


def _shut_out(blow: Blow, service: str, out: Sequence[str], back: Sequence[str], what: str) -> None:
    """The broker, told so by `rabbitmqctl`, takes the service's next connection no more until it is told `back`."""
    ground = blow.ground
    blow.finds_work()
    with _told_once(blow, service, "ACCESS_REFUSED"):
        ground.broker.ctl(*out)
        try:
            ground.road(service, "broker").cut()
            _wait_told(ground, service, "ACCESS_REFUSED")
            blow.lands(f"{what}: {_told(ground, service)}")
            lasts(LASTS)
        finally:
            ground.broker.ctl(*back)
    ground.all_ready()


def _too_slow_a_consumer(blow: Blow, service: str) -> None:
    """The broker closes the channel of who holds deliveries for too long; here of a process that stands still."""
    ground = blow.ground
    _set_timeout(ground, TIMEOUT_MS, TIMEOUT_MS // 3)
    try:
        ground.road(service, "broker").cut()  # a channel has the time-out of when it was opened
        ground.stage.process(service).wait_ready()
        blow.finds_work()
        complaints, connected = ground.times_broker_said(NOT_ACKNOWLEDGED), ground.times_said(service, CONNECTED)
        with ground.paused(service):
            until(lambda: ground.times_broker_said(NOT_ACKNOWLEDGED) > complaints, "the broker gives up", SEEN_LIMIT)
            blow.lands(f"the broker closed the channel of {service}, which acknowledged nothing for {TIMEOUT_MS} ms")
        until(lambda: ground.times_said(service, CONNECTED) > connected, f"{service} connects anew", SEEN_LIMIT)
    finally:
        _set_timeout(ground, 30 * 60_000, 60_000)
    ground.road(service, "broker").cut()
    ground.all_ready()


def _set_timeout(ground: Ground, milliseconds: int, look_every: int) -> None:
    for setting, value in (("consumer_timeout", milliseconds), ("channel_tick_interval", look_every)):
        ground.broker.ctl("eval", f"application:set_env(rabbit, {setting}, {value}).")


def _queue(service: str) -> Queue:
    return next(queue for queue in QUEUES if queue.name == queue_of(service))


def _broker_check(ground: Ground, service: str) -> dict[str, object]:
    return ground.checks(service).get("broker", {})


def _told(ground: Ground, service: str) -> str:
    return str(_broker_check(ground, service).get("detail", ""))


def _wait_told(ground: Ground, service: str, words: str) -> None:
    until(
        lambda: words in _told(ground, service),
        lambda: f"{service} says {words!r}: {_told(ground, service)}",
        SEEN_LIMIT,
    )


def _sends_again(ground: Ground, service: str) -> None:
    until(lambda: _told(ground, service) == "connected", lambda: f"all is sent: {_told(ground, service)}", SEEN_LIMIT)


def _is_consumed(ground: Ground, queue: Queue) -> bool:
    listed = ground.broker.ctl("list_queues", "-p", ground.vhost, "name", "consumers")
    return any(line.split() == [queue.name, "1"] for line in listed.splitlines())


@contextmanager
def _told_once(blow: Blow, service: str, words: str) -> Iterator[None]:
    """While the trouble lasts, the log has a line on it for each link at the most."""
    before = blow.ground.times_said(service, words)
    yield
    lines = blow.ground.times_said(service, words) - before
    assert lines <= MOST_LINES, f"{service} said {words!r} {lines} times"
    blow.evidence.append(f"{lines} lines of it in the log of {service}")


def _between(fault: Callable[[Blow, str, str], None], service: str, sender: str) -> Callable[[Blow], None]:
    return lambda blow: fault(blow, service, sender)


def _of(fault: Callable[[Blow, str], None], service: str) -> Callable[[Blow], None]:
    return lambda blow: fault(blow, service)


def _harms() -> Iterator[Harm]:
    for service, sender in (("risk", "shop_manager"), ("shop_manager", "shop")):
        name = f"{queue_of(service)} is unbound"
        yield Harm("broker refuses", name, _between(_unroutable, service, sender), PLAYED_IN)
    for service in ("risk", "payment"):
        name = f"{queue_of(service)} is full"
        yield Harm("broker refuses", name, _between(_full, service, "shop_manager"), PLAYED_IN + 12.0)
    for service in ("payment", "shop_manager"):
        queue = queue_of(service)
        yield Harm("consumer", f"{queue} is deleted", _of(_deleted, service), PLAYED_IN)
        yield Harm("broker refuses", f"{queue} has other arguments", _of(_with_other_arguments, service), PLAYED_IN)
    for service in ("fulfillment", "shop_manager"):
        yield Harm("broker refuses", f"{service} has no rights", _of(_without_rights, service), PLAYED_IN)
        yield Harm("broker refuses", f"{service} has a wrong password", _of(_with_another_password, service), PLAYED_IN)
    yield Harm("consumer", "payment is too slow a consumer", _of(_too_slow_a_consumer, "payment"), PLAYED_IN + 10.0)


HARMS = tuple(_harms())
