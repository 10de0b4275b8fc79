"""ShopManager on a SQLite file and the in-process broker, with a clock the test turns; services are played by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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
from shop_manager import store
from shop_manager.happenings import Policy, Started
from shop_manager.manager import Manager
from shop_manager.outages import Outages
from shop_manager.processes import Catalogue
from shop_manager.saga import Saga

NOON = 1_800_000_000_000


class ManagersDesk:
    """One ShopManager. A second one over the same files is another instance with the same folder and broker."""

    def __init__(self, folder: Path, broker: MemoryBroker | None = None, policy: Policy | None = None) -> None:
        self.now = NOON
        self.broker = broker or MemoryBroker()
        self.database = Database(f"sqlite:///{folder}/shop_manager.db", clock=lambda: self.now)
        store.metadata.create_all(self.database.engine)
        self.link = self.broker.link("shop_manager.replies.v1", "shop_manager")
        self.link.start()
        self.outbox = Outbox(store.schema.outbox, self.database, self.link)
        self.outages = Outages(self.database, self.link)
        self.manager = Manager(self.database, self.outbox, Catalogue(), policy or Policy(), self.outages)

    def opens(self, clerk: str, *, minutes_long: float = 30) -> str:
        document = {
            "clerk": {"id": clerk, "shop": "toys", "currency": "EUR", "brought": {"items": [], "payment": {}}},
            "customer": {"id": "ada", "type": "regular"},
            "metadata": {},
        }
        with self.database.begin() as tx:
            started = Started(document, self.now + minutes(minutes_long), {"rule": "everybody"})
            _, parcels = self.manager.open(tx, clerk, started, "standard/1", tx.now())
        self.outbox.post(parcels)
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
        """The replies arrive, in one batch."""
        with self.database.begin() as tx:
            outgoing = self.manager.handle(tx, messages)
            parcels = self.outbox.write(tx, outgoing, tx.now())
        self.outbox.post(parcels)

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
