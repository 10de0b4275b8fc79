"""A broker that is down for a while, comes back empty, or blocks publishers because memory or disk is short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenario_tests.faults.clients import opens_until_refused
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.servers.rabbit import RabbitNode
from scenario_tests.waiting import lasts, until

SHORT, USUAL, LONG = 1.0, 15.0, 90.0
"""Seconds that the broker is away."""
PLAYED_IN = 20.0
STANDS_STILL = 5.0
NOTICED_LIMIT = 20.0
BOUND = 30
"""With so many deliveries waiting for the broker, ShopManager opens no more sessions."""
MEMORY = ("set_vm_memory_high_watermark", "0"), ("set_vm_memory_high_watermark", "absolute", "2GB")
DISK = ("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", "64MB")
"""The rabbitmqctl commands that raise an alarm and lift it."""


def _away(what: str, goes: Callable[[RabbitNode], None], seconds: float) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        environment = injection.environment
        injection.waits_for_work()
        goes(environment.broker)
        until(lambda: _without_broker(environment) == len(SERVICES), "all five notice it", NOTICED_LIMIT)
        injection.fired(f"broker {what}: five processes not ready")
        lasts(seconds)
        environment.broker.start()
        environment.all_ready()

    return inject


def _without_broker(environment: Environment) -> int:
    """How many of the five say in their readiness that they have no broker."""
    checks = [environment.checks(service).get("broker") for service in SERVICES]
    return sum(1 for check in checks if check is not None and not check["ok"])


def _stands_still(injection: Injection) -> None:
    environment = injection.environment
    injection.waits_for_work()
    environment.broker.pause()
    until(lambda: environment.unsent("shop_manager") > 0, "something waits for the broker", NOTICED_LIMIT)
    injection.fired(f"broker stopped with SIGSTOP, {environment.unsent('shop_manager')} deliveries waited")
    lasts(STANDS_STILL)
    environment.broker.resume()


def _wiped(injection: Injection) -> None:
    environment = injection.environment
    injection.waits_for_work()
    waiting = environment.waiting_for_consumers()
    environment.broker.wipe()
    injection.fired(f"broker wiped, with {waiting} deliveries in its queues")
    environment.broker.start()
    environment.harness.broker.make()
    environment.all_ready()


def _alarm(on: tuple[str, ...], off: tuple[str, ...]) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        environment = injection.environment
        with _small_outbox(environment):
            injection.waits_for_work()
            environment.broker.ctl(*on)
            try:
                until(lambda: "blocked" in _broker_detail(environment, "shop_manager"), "it is blocked", NOTICED_LIMIT)
                injection.fired(f"alarm raised: {_broker_detail(environment, 'shop_manager')}")
                opened = opens_until_refused(environment.harness, NOTICED_LIMIT)
            finally:
                environment.broker.ctl(*off)
            injection.evidence.append(f"{opened} sessions opened during it, then 503 with Retry-After")
            until(lambda: environment.unsent("shop_manager") <= BOUND, "the outbox drains", NOTICED_LIMIT)

    return inject


def _broker_detail(environment: Environment, service: str) -> str:
    return str(environment.checks(service).get("broker", {}).get("detail", ""))


@contextmanager
def _small_outbox(environment: Environment) -> Iterator[None]:
    """Inside the block ShopManager runs with an outbox in which only BOUND deliveries may wait."""
    process = environment.harness.process("shop_manager")
    process.variables["CLERK_OUTBOX_BOUND"] = str(BOUND)
    environment.restart("shop_manager")
    try:
        yield
    finally:
        del process.variables["CLERK_OUTBOX_BOUND"]
    environment.restart("shop_manager")


FAULTS = (
    Fault("broker lost", "the broker is restarted", _away("stopped", RabbitNode.stop, SHORT), PLAYED_IN),
    Fault("broker lost", "the broker is killed", _away("killed", RabbitNode.kill, SHORT), PLAYED_IN),
    Fault("broker lost", "the broker is stopped", _away("stopped", RabbitNode.stop, USUAL), PLAYED_IN + USUAL),
    Fault("broker lost", "the broker is stopped for long", _away("stopped", RabbitNode.stop, LONG), PLAYED_IN + LONG),
    Fault("broker lost", "the broker stands still", _stands_still, PLAYED_IN),
    Fault("broker lost", "the broker is wiped", _wiped, PLAYED_IN),
    Fault("broker alarm", "the broker is short of memory", _alarm(*MEMORY), PLAYED_IN + 10.0),
    Fault("broker alarm", "the broker is short of disk", _alarm(*DISK), PLAYED_IN + 10.0),
)
