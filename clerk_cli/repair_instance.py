"""What does the repairs of `clerk repair`: one more instance of all five services, with a broker of its own in memory.

It is on the shop's databases and handles only the messages of repairs, with the same workers, turns and outbox as every
instance. So a repair takes effect at once, whether the shop is running or not, and needs no RabbitMQ
(docs/decisions/010). It has no ticks: it handles no deadlines and moves no other order on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from clerk_cli import brokers
from clerk_cli.composition_root import compose
from clerk_cli.services import SERVICES
from clerk_cli.settings_read import read_settings
from domain.messages import SHOP_MANAGER
from messaging.broker import OutboundMessage
from messaging.database import Database
from messaging.database_errors import ConcurrencyError
from messaging.facts import ParkedFacts
from messaging.parked import notice_of
from messaging.participant import Participant
from shop_manager.engine.manager import Manager
from shop_manager.engine.outages import Outages
from shop_manager.operations.repairs import Repairs
from shop_manager.processes import ProcessRegistry
from shop_manager.settings import ShopManagerSettings
from verifier.repairs import Repair, RepairKind


class RepairInstance:
    """`participants` by service. An act returns False where the Clerk has moved on, and nothing was done."""

    def __init__(self, participants: Mapping[str, Participant]) -> None:
        self._participants = participants
        self._repairs = Repairs(_manager(participants[SHOP_MANAGER]))
        self._asks_provider = False

    def repair(self, clerk: str, repair: Repair) -> bool:
        """Begin one repair of one Clerk; `work` carries it out."""
        try:
            if repair.kind is RepairKind.ASK_AGAIN:  # it stays in the outbox: the shop's own services handle it
                return self._repairs.ask_again(clerk) is not None
            if repair.kind is RepairKind.LIST_ANEW:
                return self._repairs.list_anew(clerk) is not None
            return repair.service is not None and self._undo(clerk, repair.service)
        except ConcurrencyError:
            return False

    def _undo(self, clerk: str, service: str) -> bool:
        outbound: list[OutboundMessage] | None = self._repairs.undo_again(clerk, service)
        if outbound is None:
            return False
        if service == "payment" and not self._asks_provider:
            self._participants[service].prepare()
            self._asks_provider = True
        self._participants[SHOP_MANAGER].outbox.send(outbound)
        return True

    def tell(self, service: str, parked: ParkedFacts) -> None:
        """Have a service tell ShopManager of a parked message again, when it next looks through its outbox."""
        participant = self._participants[service]
        with participant.database.begin() as tx:
            now = tx.now()
            participant.outbox.write(tx, [notice_of(parked, now)], now)

    def work(self) -> None:
        """Let all workers take messages in turn, until none handles any more."""
        workers = [worker for participant in self._participants.values() for worker in participant.workers]
        before = -1
        while (handled := sum(worker.handled for worker in workers)) != before:
            before = handled
            for worker in workers:
                worker.round(wait=0)

    def close(self) -> None:
        """Handle the last replies, and delete from the outboxes what was sent here."""
        if self._asks_provider:
            self._participants["payment"].on_stop()
        self.work()
        for participant in self._participants.values():
            with participant.database.begin() as tx:
                forgotten = participant.outbox.forget(tx)
            forgotten()
            for worker in participant.workers:
                worker.transport.close()


def _manager(participant: Participant) -> Manager:
    database, outbox = participant.database, participant.outbox
    policy, outages = ShopManagerSettings().policy(), Outages(database, outbox.transport)
    return Manager(database, outbox, ProcessRegistry(), policy, outages)


@contextmanager
def repair_instance(databases: Mapping[str, Database]) -> Iterator[RepairInstance]:
    """An instance over these databases, by service; closed at the end of the block."""
    connect = brokers.in_memory()
    participants = {
        service.name: compose(service, read_settings(service), databases[service.name], connect)[0]
        for service in SERVICES
    }
    for participant in participants.values():
        for worker in participant.workers:
            worker.transport.start()
    instance = RepairInstance(participants)
    try:
        yield instance
    finally:
        instance.close()
