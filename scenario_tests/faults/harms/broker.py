"""A broker that is gone for a while, comes back empty, or takes nothing because it is short of memory or disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenario_tests.faults.callers import opens_until_refused
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.servers.rabbit import RabbitNode
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import lasts, until

SHORT, USUAL, LONG = 1.0, 15.0, 90.0
"""Seconds that the broker is away."""
PLAYED_IN = 20.0
STANDS_STILL = 5.0
NOTICED_LIMIT = 20.0
BOUND = 30
"""Deliveries that may wait for the broker until no more sessions are taken."""
MEMORY = ("set_vm_memory_high_watermark", "0"), ("set_vm_memory_high_watermark", "absolute", "2GB")
DISK = ("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", "64MB")
"""Of an alarm: what raises it, and what lifts it again."""


def _away(what: str, goes: Callable[[RabbitNode], None], seconds: float) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        ground = blow.ground
        blow.finds_work()
        goes(ground.broker)
        until(lambda: _without_broker(ground) == len(SERVICES), "all five notice it", NOTICED_LIMIT)
        blow.lands(f"broker {what}: five processes not ready")
        lasts(seconds)
        ground.broker.start()
        ground.all_ready()

    return strikes


def _without_broker(ground: Ground) -> int:
    """How many of the five know that they have none."""
    checks = [ground.checks(service).get("broker") for service in SERVICES]
    return sum(1 for check in checks if check is not None and not check["ok"])


def _stands_still(blow: Blow) -> None:
    ground = blow.ground
    blow.finds_work()
    ground.broker.pause()
    until(lambda: ground.unsent("shop_manager") > 0, "something waits for the broker", NOTICED_LIMIT)
    blow.lands(f"broker stopped with SIGSTOP, {ground.unsent('shop_manager')} deliveries waited")
    lasts(STANDS_STILL)
    ground.broker.resume()


def _wiped(blow: Blow) -> None:
    ground = blow.ground
    blow.finds_work()
    waiting = ground.waiting_for_consumers()
    ground.broker.wipe()
    blow.lands(f"broker wiped, with {waiting} deliveries in its queues")
    ground.broker.start()
    ground.broker.new_vhost(ground.vhost)
    ground.all_ready()


def _alarm(on: tuple[str, ...], off: tuple[str, ...]) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        ground = blow.ground
        with _small_outbox(ground):
            blow.finds_work()
            ground.broker.ctl(*on)
            try:
                until(lambda: "blocked" in _broker_detail(ground, "shop_manager"), "it is blocked", NOTICED_LIMIT)
                blow.lands(f"alarm raised: {_broker_detail(ground, 'shop_manager')}")
                opened = opens_until_refused(ground.stage, NOTICED_LIMIT)
            finally:
                ground.broker.ctl(*off)
            blow.evidence.append(f"{opened} sessions opened during it, then 503 with Retry-After")
            until(lambda: ground.unsent("shop_manager") <= BOUND, "the outbox drains", NOTICED_LIMIT)

    return strikes


def _broker_detail(ground: Ground, service: str) -> str:
    return str(ground.checks(service).get("broker", {}).get("detail", ""))


@contextmanager
def _small_outbox(ground: Ground) -> Iterator[None]:
    """Inside the block ShopManager runs with one in which few deliveries may wait."""
    process = ground.stage.process("shop_manager")
    process.environment["CLERK_OUTBOX_BOUND"] = str(BOUND)
    ground.restart("shop_manager")
    try:
        yield
    finally:
        del process.environment["CLERK_OUTBOX_BOUND"]
    ground.restart("shop_manager")


HARMS = (
    Harm("broker lost", "the broker is restarted", _away("stopped", RabbitNode.stop, SHORT), PLAYED_IN),
    Harm("broker lost", "the broker is killed", _away("killed", RabbitNode.kill, SHORT), PLAYED_IN),
    Harm("broker lost", "the broker is stopped", _away("stopped", RabbitNode.stop, USUAL), PLAYED_IN + USUAL),
    Harm("broker lost", "the broker is stopped for long", _away("stopped", RabbitNode.stop, LONG), PLAYED_IN + LONG),
    Harm("broker lost", "the broker stands still", _stands_still, PLAYED_IN),
    Harm("broker lost", "the broker is wiped", _wiped, PLAYED_IN),
    Harm("broker alarm", "the broker is short of memory", _alarm(*MEMORY), PLAYED_IN + 10.0),
    Harm("broker alarm", "the broker is short of disk", _alarm(*DISK), PLAYED_IN + 10.0),
)
