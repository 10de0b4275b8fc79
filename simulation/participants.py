"""The participants, put together as their `main.py` does, but worked by hand: no threads, no doors of HTTP.

Each can be thrown away at any moment and built anew over the same store: that is a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from domain.messages import SHOP_MANAGER, Message
from fulfillment_service.dock import Dock
from fulfillment_service.handlers import fulfillment
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.store import schema as fulfillment_schema
from fulfillment_service.store import turns as fulfillment_turns
from fulfillment_service.warehouse import ship_due
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.schema import Schema
from messaging.turns import Desk
from messaging.worker import Handler, Worker
from payment_service.calls import Calls
from payment_service.handlers import payment
from payment_service.mailbox import Mailbox
from payment_service.provider import Provider
from payment_service.store import schema as payment_schema
from payment_service.store import turns as payment_turns
from payment_service.till import Till
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from risk_service.store import schema as risk_schema
from risk_service.store import turns as risk_turns
from shop_manager.manager import Manager
from shop_manager.opening import Opening
from shop_manager.outages import Outages
from shop_manager.processes import Catalogue
from shop_manager.secrets import ClientSecrets
from shop_manager.settings import ShopManagerSettings
from shop_manager.store import schema as manager_schema
from shop_service.counter import Counter
from shop_service.handlers import shop
from shop_service.store import schema as shop_schema
from shop_service.store import turns as shop_turns
from simulation.broker import SimulatedBroker, SimulatedLink

SECRET = SecretStr("the simulation's own master secret, 32+")
CATALOGUE = Catalogue()
Wrap = Callable[[str, Handler], Handler]
"""(participant, its handler) → the handler with somebody looking over its shoulder."""


@dataclass
class Participant:
    """One process. `ticks` is what its ticker would do, besides the outbox's relay."""

    name: str
    service: str
    database: Database
    link: SimulatedLink
    outbox: Outbox
    worker: Worker
    ticks: Sequence[Callable[[], None]] = ()
    alive: bool = True
    paused_until: int = 0
    next_tick: int = 0
    next_relay: int = 0

    # What people can do at its doors; each participant has its own ones only.
    opening: Opening | None = None
    manager: Manager | None = None
    counter: Counter | None = None
    calls: Calls | None = None
    till: Till | None = None
    dock: Dock | None = None
    in_hand: list[Message] = field(default_factory=list)

    def confirmed(self) -> set[int]:
        """Outbox rows that it has sent and not forgotten yet."""
        return self.outbox._confirmed

    def rounds(self) -> None:
        self.worker.round(0)

    def calls_rounds(self) -> None:
        if self.calls:
            self.calls.round(0)

    def has_post(self) -> bool:
        """Has payment's calls desk something to do at once?"""
        return self.calls is not None and bool(self.calls.mailbox._post)


@dataclass(frozen=True)
class Surroundings:
    """What participants are built into."""

    broker: SimulatedBroker
    database: Callable[[str, int], Database]
    wrap: Wrap
    provider: Provider
    warehouse: FulfillmentSettings
    settings: ShopManagerSettings
    risk: RiskSettings


def build(name: str, around: Surroundings) -> Participant:
    """A fresh process of this name (`risk`, `shop_manager-2`), connected, with what it does at its start done."""
    service, _, number = name.partition("-")
    database = around.database(service, int(number or 1) - 1)
    link = around.broker.link(REPLIES_QUEUE if service == SHOP_MANAGER else commands_queue(service), name)
    built = _BUILDERS[service](name, database, link, around)
    built.worker.remember()
    link.start()
    return built


def _shop_manager(name: str, database: Database, link: SimulatedLink, around: Surroundings) -> Participant:
    outbox = Outbox(manager_schema.outbox, database, link)
    outages = Outages(database, link)
    manager = Manager(database, outbox, CATALOGUE, around.settings.policy(), outages)
    worker = Worker(
        SHOP_MANAGER,
        database,
        manager_schema,
        outbox,
        around.wrap(name, manager.handle),
        before_batch=outages.before_batch,
        after_commit=manager.after_commit,
    )
    opening = Opening(manager, ClientSecrets(SECRET, database), around.settings)
    ticks = [manager.tick]
    return Participant(name, SHOP_MANAGER, database, link, outbox, worker, ticks, opening=opening, manager=manager)


def _shop(name: str, database: Database, link: SimulatedLink, around: Surroundings) -> Participant:
    desk = Desk(shop(), shop_turns)
    outbox, worker = _working(name, database, shop_schema, link, around.wrap, handle=desk.handle)
    return Participant(name, name, database, link, outbox, worker, counter=Counter(database, desk, outbox))


def _risk(name: str, database: Database, link: SimulatedLink, around: Surroundings) -> Participant:
    desk = Desk(risk(around.risk), risk_turns)
    outbox, worker = _working(name, database, risk_schema, link, around.wrap, handle=desk.handle)
    return Participant(name, name, database, link, outbox, worker)


def _payment(name: str, database: Database, link: SimulatedLink, around: Surroundings) -> Participant:
    mailbox = Mailbox()
    desk = Desk(payment(mailbox.note), payment_turns)
    outbox, worker = _working(
        name, database, payment_schema, link, around.wrap, handle=desk.handle, after_commit=mailbox.committed
    )
    calls = Calls(database, desk, outbox, around.provider, mailbox)
    till = Till(database, calls, arrival_wait=0.0, answer_wait=0.0, waiters=4)
    return Participant(name, name, database, link, outbox, worker, [mailbox.look], calls=calls, till=till)


def _fulfillment(name: str, database: Database, link: SimulatedLink, around: Surroundings) -> Participant:
    desk = Desk(fulfillment(around.warehouse), fulfillment_turns)
    outbox, worker = _working(name, database, fulfillment_schema, link, around.wrap, handle=desk.handle)
    dock = Dock(database, desk, outbox)
    ticks: list[Callable[[], None]] = []
    if around.warehouse.warehouse == "auto":
        ticks.append(lambda: _automatic(dock, around.warehouse.auto_after))
    return Participant(name, name, database, link, outbox, worker, ticks, dock=dock)


def _automatic(dock: Dock, after: float) -> None:
    ship_due(dock, after)


def _working(
    name: str,
    database: Database,
    schema: Schema,
    link: SimulatedLink,
    wrap: Wrap,
    *,
    handle: Callable[[Tx, Sequence[Message]], list[Message]],
    after_commit: Callable[[], None] = lambda: None,
) -> tuple[Outbox, Worker]:
    outbox = Outbox(schema.outbox, database, link)
    return outbox, Worker(name, database, schema, outbox, wrap(name, handle), after_commit=after_commit)


_BUILDERS: dict[str, Callable[[str, Database, SimulatedLink, Surroundings], Participant]] = {
    SHOP_MANAGER: _shop_manager,
    "shop": _shop,
    "risk": _risk,
    "payment": _payment,
    "fulfillment": _fulfillment,
}
