"""One more instance of all five services, on the shop's own databases but a broker of its own: it does repairs.

It takes only what a repair hands to it, through the same worker, turns and outbox as every instance; so a repair takes
effect at once, whether the shop is running or not, and needs no broker (docs/decisions/010). It never ticks: no
deadline comes by here, and no order goes on by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from clerk_cli import brokers
from clerk_cli.assembly import assemble
from clerk_cli.services import SERVICES
from clerk_cli.settings_read import read_settings
from domain.messages import SHOP_MANAGER, Notice
from messaging.audit import ParkedFacts
from messaging.broker import Parcel
from messaging.database import Database
from messaging.participant import Participant
from messaging.worker import NOTICE_BYTES, LostRace
from shop_manager.processes import Catalogue
from shop_manager.repairs import Repairs
from shop_manager.settings import ShopManagerSettings
from verifier.remedies import ASK_AGAIN, LIST_ANEW, UNDO_AT

SERVICE_OF = {remedy: service for service, remedy in UNDO_AT.items()}


class RepairShop:
    """Its acts return False where the Clerk has moved on, and nothing was done."""

    def __init__(self, parts: Mapping[str, Participant]) -> None:
        self._parts = parts
        manager = parts[SHOP_MANAGER]
        policy = ShopManagerSettings().policy()
        self._repairs = Repairs(manager.database, manager.outbox, Catalogue(), policy)
        self._asks_provider = False

    def repair(self, clerk: str, remedy: str) -> bool:
        """Begin one repair of one Clerk; `work` goes on with it."""
        try:
            if remedy == ASK_AGAIN:  # that is for the shop's own services: it stays in the outbox for them
                return self._repairs.ask_once_more(clerk) is not None
            if remedy == LIST_ANEW:
                return self._repairs.list_anew(clerk) is not None
            return self._undo(clerk, SERVICE_OF[remedy])
        except LostRace:
            return False

    def _undo(self, clerk: str, service: str) -> bool:
        parcels: list[Parcel] | None = self._repairs.undo_once_more(clerk, service)
        if parcels is None:
            return False
        if service == "payment" and not self._asks_provider:
            self._parts[service].prepare()
            self._asks_provider = True
        self._parts[SHOP_MANAGER].outbox.send(parcels)
        return True

    def tell(self, service: str, parked: ParkedFacts) -> None:
        """Have a service tell ShopManager of a parked message again, when it next looks through its outbox."""
        part = self._parts[service]
        with part.database.begin() as tx:
            now = tx.now()
            notice = Notice(
                service=service,
                parked=parked.id,
                reason=parked.reason,
                queue=parked.queue,
                command=parked.message,
                body=parked.body[:NOTICE_BYTES],
                size=parked.size,
                sent_at=now,
                killer=parked.killer,
            )
            part.outbox.write(tx, [notice], now)

    def work(self) -> None:
        """Rounds of everybody, until all that is at hand is done and answered."""
        workers = [worker for part in self._parts.values() for worker in part.workers]
        before = -1
        while (handled := sum(worker.handled for worker in workers)) != before:
            before = handled
            for worker in workers:
                worker.round(wait=0)

    def close(self) -> None:
        """Take the last answers, and forget what was sent here."""
        if self._asks_provider:
            self._parts["payment"].on_stop()
        self.work()
        for part in self._parts.values():
            with part.database.begin() as tx:
                forgotten = part.outbox.forget(tx)
            forgotten()
            for worker in part.workers:
                worker.link.close()


@contextmanager
def repair_shop(databases: Mapping[str, Database]) -> Iterator[RepairShop]:
    """The repair shop over these databases, by service; closed at the end of the block."""
    connect = brokers.in_memory()
    parts = {
        service.name: assemble(service, read_settings(service), databases[service.name], connect)[0]
        for service in SERVICES
    }
    for part in parts.values():
        for worker in part.workers:
            worker.link.start()
    shop = RepairShop(parts)
    try:
        yield shop
    finally:
        shop.close()
