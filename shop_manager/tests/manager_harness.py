"""The Manager on a SQLite file and the in-process broker; the test answers for the services, and sets the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain.document import SERVICES
from domain.messages import Command, Message, Outcome, Reply, answer
from domain.refusals import Refused
from domain.times import minutes
from messaging.broker import commands_queue
from messaging.database import Database
from messaging.envelope import decode, unpack
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from shop_manager.engine import store, tables
from shop_manager.engine.manager import Manager, ToOpen
from shop_manager.engine.outages import Outages
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.happenings import Started
from shop_manager.saga.policy import Policy
from shop_manager.saga.state import Saga
from shop_manager.tests.saga_harness import NOON, POLICY


@cache
def _empty_database() -> bytes:
    """A file with all tables: made once, because it takes longer than most tests."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        tables.metadata.create_all(database.engine)
        database.close()
        return Path(folder, "empty.db").read_bytes()


class ManagerHarness:
    """One ShopManager. Another one with the same folder and broker is a second instance of it."""

    def __init__(self, folder: Path, broker: MemoryBroker | None = None, policy: Policy | None = None) -> None:
        self.now = NOON
        self.broker = broker or MemoryBroker()
        file = folder / "shop_manager.db"
        if not file.exists():
            file.write_bytes(_empty_database())
        self.database = Database(f"sqlite:///{file}", clock=lambda: self.now)
        self.transport = self.broker.transport("shop_manager.replies.v1", "shop_manager")
        self.transport.start()
        self.outbox = Outbox(tables.technical.outbox, self.database, self.transport)
        self.outages = Outages(self.database, self.transport)
        self.manager = Manager(self.database, self.outbox, ProcessRegistry(), policy or POLICY, self.outages)

    def opens(self, clerk: str, *, minutes_long: float = 30) -> str:
        document = {
            "clerk": {"id": clerk, "shop": "toys", "currency": "EUR", "brought": {"items": [], "payment": {}}},
            "customer": {"id": "ada", "type": "regular"},
            "metadata": {},
        }
        with self.database.begin() as tx:
            started = Started(document, self.now + minutes(minutes_long), {"rule": "everybody"})
            _, outbound = self.manager.open(tx, [ToOpen(clerk, started, "standard/1")], tx.now())
        self.outbox.post(outbound)
        return clerk

    def sent(self) -> list[Command]:
        """What is waiting at the services, oldest first; it is taken away."""
        found: list[Command] = []
        for service in SERVICES:
            queue = self.broker.queues[commands_queue(service)].deliveries
            while queue:
                messages = [decode(each, service) for each in unpack(queue.popleft().body)]
                found += [message for message in messages if isinstance(message, Command)]
        return found

    def hears(self, *messages: Message) -> None:
        """The replies arrive, in one batch; one that names no sender, from the service that its Clerk asked."""
        with self.database.begin() as tx:
            outgoing = self.manager.handle(tx, [self._sent(message) for message in messages])
            outbound = self.outbox.write(tx, outgoing, tx.now())
        self.outbox.post(outbound)

    def _sent(self, message: Message) -> Message:
        if not isinstance(message, Reply) or message.sender is not None:
            return message
        asking = [process for process in self.manager.processes.by_reference.values() if message.step in process.names]
        return replace(message, sender=asking[0].step(message.step).asks if asking else "shop")

    def replies(self, command: Command, outcome: Outcome = "done", **section: Any) -> Reply:
        refusal = Refused("no", "as wished") if outcome == "refused" else None
        document = {**command.document, **({"order": section} if section else {})}
        return answer(command, outcome, document, self.now, refusal)

    def plays_all(self, outcomes: Sequence[Outcome] = ()) -> list[str]:
        """Answer everything that is asked until nothing is; returns the names of the commands, in order."""
        names: list[str] = []
        script = list(outcomes)
        while commands := self.sent():
            names += [command.name for command in commands]
            self.hears(*[self._fitting(command, script) for command in commands])
        return names

    def _fitting(self, command: Command, script: list[Outcome]) -> Reply:
        if command.direction == "undo":
            return self.replies(command, "undone")
        return self.replies(command, script.pop(0) if script else "done")

    def saga(self, clerk: str) -> Saga:
        with self.database.read() as tx:
            return store.read(tx, [clerk])[clerk].saga

    def ticks(self) -> None:
        self.manager.tick()
