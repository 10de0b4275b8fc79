"""A whole shop on SQLite files that goes on step by step, with a clock of its own and no threads but the provider's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from clerk_cli import brokers, services
from clerk_cli.composition_root import compose
from clerk_cli.databases import files_in, opened
from clerk_cli.settings_read import read_settings
from messaging.database import Database
from messaging.participant import Participant
from scenario_tests.harness import SETTINGS
from verifier import still_under_way

_SHIPS_AT_ONCE = {"CLERK_FULFILLMENT_WAREHOUSE": "auto", "CLERK_FULFILLMENT_AUTO_AFTER": "0"}
_STEP_MS = 500
"""Less than the gap between heartbeats that counts as an outage."""
_MOST_STEPS = 4000


class SteppedShop:
    """`databases` by service. Its warehouse ships at once."""

    def __init__(self, databases: dict[str, Database], participants: list[Participant], begins_at: int) -> None:
        self.databases = databases
        self._participants = participants
        self._now = begins_at
        for database in databases.values():
            database.clock = lambda: self._now

    def goes_on(self) -> str | None:
        """Until nothing is under way any more; what still is, if it does not end."""
        left: str | None = ""
        for _ in range(_MOST_STEPS):
            handled = self._step()
            if not handled:
                left = still_under_way(self.databases)
                if left is None:
                    return None
                self._now += _STEP_MS
                Event().wait(0.001)  # the provider's threads
        return left

    def _step(self) -> int:
        workers = [worker for participant in self._participants for worker in participant.workers]
        before = sum(worker.handled for worker in workers)
        for participant in self._participants:
            for tick in participant.ticks:
                tick()
            participant.outbox.relay()
        for worker in workers:
            worker.round(wait=0)
        return sum(worker.handled for worker in workers) - before


@contextmanager
def stepped_shop(folder: Path, later_ms: int = 1_000) -> Iterator[SteppedShop]:
    """The shop on the files of this folder, so much later than now."""
    template = files_in(folder)
    with (
        pytest.MonkeyPatch.context() as environment,
        opened(dict.fromkeys(services.SERVICES, template), sync="normal") as found,
    ):
        for variable, value in (
            SETTINGS | {"CLERK_FULFILLMENT_WAREHOUSE": "auto", "CLERK_FULFILLMENT_AUTO_AFTER": "0"}
        ).items():
            environment.setenv(variable, value)
        connect = brokers.in_memory()
        participants = [
            compose(service, read_settings(service), database, connect)[0] for service, database in found.items()
        ]
        databases = {service.name: database for service, database in found.items()}
        shop = SteppedShop(databases, participants, time.time_ns() // 1_000_000 + later_ms)
        for participant in participants:
            participant.prepare()
            for worker in participant.workers:
                worker.transport.start()
                worker.remember()
        try:
            yield shop
        finally:
            for participant in participants:
                participant.on_stop()
