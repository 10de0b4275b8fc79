"""Several ShopManagers on the same database and queue, killed one after the other: no command is given twice."""

from __future__ import annotations

import signal
from collections.abc import Callable

from messaging.broker import REPLIES_QUEUE
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.services_stage import Process
from scenario_tests.waiting import until

STARTED_IN = 6.0
"""Seconds for one of them, on a busy machine."""


def _rolling_kills(many: int) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        stage = blow.ground.stage
        with stage.more_managers(many - 1) as others:
            until(lambda: _takers(blow.ground) == many, f"{many} ShopManagers take replies")
            for number, process in enumerate([stage.process("shop_manager"), *others], start=1):
                blow.finds_work()
                process.end(signal.SIGKILL)
                blow.lands(f"ShopManager {number} of {many} killed")
                _comes_back(process)

    return strikes


def _comes_back(process: Process) -> None:
    process.start()
    process.wait_ready()


def _takers(ground: Ground) -> int:
    """How many processes take what is in the queue of replies."""
    with ground.channel() as channel:
        return int(channel.queue_declare(REPLIES_QUEUE, passive=True).method.consumer_count)


HARMS = tuple(
    Harm("managers", f"{count} ShopManagers are killed in turn", _rolling_kills(many), 6.0 + 2 * many * STARTED_IN)
    for count, many in (("two", 2), ("five", 5))
)
