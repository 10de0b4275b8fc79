"""Several ShopManagers on the same database and queue, killed one after the other."""

from __future__ import annotations

import signal
from collections.abc import Callable

from messaging.broker import REPLIES_QUEUE
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.services_harness import ServiceProcess
from scenario_tests.waiting import until

STARTED_IN = 6.0
"""Seconds to start one of them, on a busy machine."""


def _rolling_kills(many: int) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        harness = injection.environment.harness
        with harness.more_managers(many - 1) as others:
            until(lambda: _takers(injection.environment) == many, f"{many} ShopManagers take replies")
            for number, process in enumerate([harness.process("shop_manager"), *others], start=1):
                injection.waits_for_work()
                process.end(signal.SIGKILL)
                injection.fired(f"ShopManager {number} of {many} killed")
                _comes_back(process)

    return inject


def _comes_back(process: ServiceProcess) -> None:
    process.start()
    process.wait_ready()


def _takers(environment: Environment) -> int:
    """How many consumers the queue of replies has."""
    with environment.channel() as channel:
        return int(channel.queue_declare(REPLIES_QUEUE, passive=True).method.consumer_count)


FAULTS = tuple(
    Fault("managers", f"{count} ShopManagers are killed in turn", _rolling_kills(many), 6.0 + 2 * many * STARTED_IN)
    for count, many in (("two", 2), ("five", 5))
)
