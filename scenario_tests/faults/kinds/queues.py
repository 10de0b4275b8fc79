"""A broker that runs and refuses: queues deleted, full or with other arguments, rights and passwords changed, consumers
cancelled.

What cannot be sent stays in the outbox, is logged once and not again and again, and is sent after the repair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from clerk_cli.errors import CliError
from clerk_cli.rabbitmq.topology import declare_topology
from messaging.rabbitmq.topology import QUEUES, Queue
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.shop import queue_of
from scenario_tests.waiting import lasts, until

LASTS = 4.0
SEEN_LIMIT = 30.0
MOST_LINES = 3
"""Log lines about one trouble while it lasts: a process has up to three transports, each logs it once."""
CONNECTED = "connected to the broker"
NOT_ACKNOWLEDGED = "waiting for delivery acknowledgement"
PLAYED_IN = 18.0
TIMEOUT_MS = 1_500


def _unroutable(injection: Injection, service: str, sender: str) -> None:
    queue = _queue(service)
    injection.waits_for_work()
    with _told_once(injection, sender, "unroutable"):
        with injection.environment.channel() as channel:
            channel.queue_unbind(queue.name, queue.exchange, queue.pattern)
        _wait_told(injection.environment, sender, "unroutable")
        injection.fired(f"{queue.name} unbound: {_broker_detail(injection.environment, sender)}")
        lasts(LASTS)
    injection.environment.bring_back(queue)
    _sends_again(injection.environment, sender)


def _deleted(injection: Injection, service: str) -> None:
    """The broker cancels its consumer. The service may declare nothing: it waits for `clerk migrate` (S13)."""
    environment, queue = injection.environment, _queue(service)
    injection.waits_for_work()
    before = environment.times_said(service, CONNECTED)
    with environment.channel() as channel:
        waiting = channel.queue_delete(queue.name).method.message_count
    injection.fired(f"{queue.name} deleted with {waiting} deliveries in it")
    _wait_told(environment, service, "NOT_FOUND")
    declare_topology(environment.harness.broker.admin_url)
    until(lambda: environment.times_said(service, CONNECTED) > before, f"{service} connects anew", SEEN_LIMIT)
    until(lambda: _is_consumed(environment, queue), f"{queue.name} is there and consumed again", SEEN_LIMIT)


def _with_other_arguments(injection: Injection, service: str) -> None:
    """The service works on with it, unbound as it is: who declares, that is `clerk migrate`, is told (B3, S13)."""
    environment, queue = injection.environment, _queue(service)
    injection.waits_for_work()
    with environment.channel() as channel:
        channel.queue_delete(queue.name)
        channel.queue_declare(queue.name, durable=True)
    with pytest.raises(CliError, match="exists with other arguments") as told:
        declare_topology(environment.harness.broker.admin_url)
    injection.fired(f"another {queue.name} is there: {told.value}")
    lasts(LASTS)
    environment.bring_back(queue)
    environment.all_ready()


def _full(injection: Injection, service: str, sender: str) -> None:
    """Nothing is taken from the queue, and it takes no more; then the limit is lifted, of which the sender is not told.

    The receiver is stopped: one that stands still would be given its two hundred deliveries first.
    """
    environment, queue = injection.environment, _queue(service)
    pattern, limit = f"^{queue.name.replace('.', '[.]')}$", '{"max-length": 1}'
    injection.waits_for_work()
    with _told_once(injection, sender, "refused by the broker"):
        environment.harness.stop(service)
        environment.broker.ctl("set_policy", "-p", environment.vhost, "full", pattern, limit, "--apply-to", "queues")
        try:
            _wait_told(environment, sender, "refused by the broker")
            injection.fired(f"{queue.name} full: {_broker_detail(environment, sender)}")
            lasts(LASTS)
        finally:
            environment.broker.ctl("clear_policy", "-p", environment.vhost, "full")
    environment.harness.start(service)
    _sends_again(environment, sender)


def _without_rights(injection: Injection, service: str) -> None:
    broker = injection.environment.harness.broker
    _shut_out(injection, service, broker.rights_ctl(service, none=True), broker.rights_ctl(service), "no rights")


def _with_another_password(injection: Injection, service: str) -> None:
    broker = injection.environment.harness.broker
    change, back = broker.password_ctl(service, wrong=True), broker.password_ctl(service)
    _shut_out(injection, service, change, back, "password changed")


def _shut_out(injection: Injection, service: str, out: Sequence[str], back: Sequence[str], what: str) -> None:
    """`rabbitmqctl` with `out` makes the broker refuse the service's next connection; with `back` it takes it again."""
    environment = injection.environment
    injection.waits_for_work()
    with _told_once(injection, service, "ACCESS_REFUSED"):
        environment.broker.ctl(*out)
        try:
            environment.proxy(service, "broker").cut()
            _wait_told(environment, service, "ACCESS_REFUSED")
            injection.fired(f"{what}: {_broker_detail(environment, service)}")
            lasts(LASTS)
        finally:
            environment.broker.ctl(*back)
    environment.all_ready()


def _too_slow_a_consumer(injection: Injection, service: str) -> None:
    """The broker closes a channel whose consumer acknowledges nothing for too long; here that of a paused process."""
    environment = injection.environment
    _set_timeout(environment, TIMEOUT_MS, TIMEOUT_MS // 3)
    try:
        environment.proxy(service, "broker").cut()  # a channel has the time-out of when it was opened
        environment.harness.process(service).wait_ready()
        injection.waits_for_work()
        complaints, connected = (
            environment.times_broker_said(NOT_ACKNOWLEDGED),
            environment.times_said(service, CONNECTED),
        )
        with environment.paused(service):
            until(
                lambda: environment.times_broker_said(NOT_ACKNOWLEDGED) > complaints, "the broker gives up", SEEN_LIMIT
            )
            injection.fired(
                f"the broker closed the channel of {service}, which acknowledged nothing for {TIMEOUT_MS} ms"
            )
        until(lambda: environment.times_said(service, CONNECTED) > connected, f"{service} connects anew", SEEN_LIMIT)
    finally:
        _set_timeout(environment, 30 * 60_000, 60_000)
    environment.proxy(service, "broker").cut()
    environment.all_ready()


def _set_timeout(environment: Environment, milliseconds: int, look_every: int) -> None:
    for setting, value in (("consumer_timeout", milliseconds), ("channel_tick_interval", look_every)):
        environment.broker.ctl("eval", f"application:set_env(rabbit, {setting}, {value}).")


def _queue(service: str) -> Queue:
    return next(queue for queue in QUEUES if queue.name == queue_of(service))


def _broker_check(environment: Environment, service: str) -> dict[str, object]:
    return environment.checks(service).get("broker", {})


def _broker_detail(environment: Environment, service: str) -> str:
    return str(_broker_check(environment, service).get("detail", ""))


def _wait_told(environment: Environment, service: str, words: str) -> None:
    until(
        lambda: words in _broker_detail(environment, service),
        lambda: f"{service} says {words!r}: {_broker_detail(environment, service)}",
        SEEN_LIMIT,
    )


def _sends_again(environment: Environment, service: str) -> None:
    until(
        lambda: _broker_detail(environment, service) == "connected",
        lambda: f"all is sent: {_broker_detail(environment, service)}",
        SEEN_LIMIT,
    )


def _is_consumed(environment: Environment, queue: Queue) -> bool:
    listed = environment.broker.ctl("list_queues", "-p", environment.vhost, "name", "consumers")
    return any(line.split() == [queue.name, "1"] for line in listed.splitlines())


@contextmanager
def _told_once(injection: Injection, service: str, words: str) -> Iterator[None]:
    """While the trouble lasts, the log has a line on it for each transport at the most."""
    before = injection.environment.times_said(service, words)
    yield
    lines = injection.environment.times_said(service, words) - before
    assert lines <= MOST_LINES, f"{service} said {words!r} {lines} times"
    injection.evidence.append(f"{lines} lines of it in the log of {service}")


def _between(fault: Callable[[Injection, str, str], None], service: str, sender: str) -> Callable[[Injection], None]:
    return lambda injection: fault(injection, service, sender)


def _of(fault: Callable[[Injection, str], None], service: str) -> Callable[[Injection], None]:
    return lambda injection: fault(injection, service)


def _faults() -> Iterator[Fault]:
    for service, sender in (("risk", "shop_manager"), ("shop_manager", "shop")):
        name = f"{queue_of(service)} is unbound"
        yield Fault("broker refuses", name, _between(_unroutable, service, sender), PLAYED_IN)
    for service in ("risk", "payment"):
        name = f"{queue_of(service)} is full"
        yield Fault("broker refuses", name, _between(_full, service, "shop_manager"), PLAYED_IN + 12.0)
    for service in ("payment", "shop_manager"):
        queue = queue_of(service)
        yield Fault("consumer", f"{queue} is deleted", _of(_deleted, service), PLAYED_IN)
        yield Fault("broker refuses", f"{queue} has other arguments", _of(_with_other_arguments, service), PLAYED_IN)
    for service in ("fulfillment", "shop_manager"):
        yield Fault("broker refuses", f"{service} has no rights", _of(_without_rights, service), PLAYED_IN)
        yield Fault(
            "broker refuses", f"{service} has a wrong password", _of(_with_another_password, service), PLAYED_IN
        )
    yield Fault("consumer", "payment is too slow a consumer", _of(_too_slow_a_consumer, "payment"), PLAYED_IN + 10.0)


FAULTS = tuple(_faults())
