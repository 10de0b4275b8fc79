"""The participants, put together as each `main.py` does, but without threads and HTTP: the loop calls them.

A crash throws one away at any moment and builds a new one over the same store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from domain.messages import SHOP_MANAGER, Message
from fulfillment_service.handlers import fulfillment
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.store import technical as fulfillment_schema
from fulfillment_service.store import turns as fulfillment_turns
from fulfillment_service.use_cases import ShippingUseCases
from fulfillment_service.warehouse import ship_due
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.technical_tables import TechnicalTables
from messaging.turns import Dispatcher
from messaging.worker import BatchHandler, Worker
from payment_service.handlers import payment
from payment_service.provider import Provider
from payment_service.provider_gateway import ProviderGateway
from payment_service.reports import PaymentReports
from payment_service.store import technical as payment_schema
from payment_service.store import turns as payment_turns
from payment_service.use_cases import PaymentUseCases
from payment_service.work_queue import WorkQueue
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from risk_service.store import technical as risk_schema
from risk_service.store import turns as risk_turns
from shop_manager.engine.manager import Manager
from shop_manager.engine.outages import Outages
from shop_manager.engine.tables import technical as manager_schema
from shop_manager.processes import ProcessRegistry
from shop_manager.sessions.client_secrets import ClientSecrets
from shop_manager.sessions.opening import Opening
from shop_manager.settings import ShopManagerSettings
from shop_service.cart_reports import CartReports
from shop_service.handlers import shop
from shop_service.store import technical as shop_schema
from shop_service.store import turns as shop_turns
from shop_service.use_cases import CartUseCases
from simulation.broker import SimulatedBroker, SimulatedTransport

SECRET = SecretStr("the simulation's own master secret, 32+")
PROCESSES = ProcessRegistry()
WrapHandler = Callable[[str, BatchHandler], BatchHandler]
"""(participant's name, its handler) → the same handler, observed by the monitor."""


@dataclass
class SimulatedParticipant:
    """One process. `ticks` is what its ticker would do, besides the outbox's relay."""

    name: str
    service: str
    database: Database
    transport: SimulatedTransport
    outbox: Outbox
    worker: Worker
    ticks: Sequence[Callable[[], None]] = ()
    alive: bool = True
    paused_until: int = 0
    next_tick: int = 0
    next_relay: int = 0

    # What clients can call. Each service has only its own.
    opening: Opening | None = None
    manager: Manager | None = None
    cart: CartUseCases | None = None
    provider_gateway: ProviderGateway | None = None
    payments: PaymentUseCases | None = None
    shipping: ShippingUseCases | None = None

    def confirmed(self) -> set[int]:
        """Outbox rows that it has sent and not forgotten yet."""
        return self.outbox._confirmed

    def run_worker(self) -> None:
        self.worker.round(0)

    def run_provider_gateway(self) -> None:
        if self.provider_gateway:
            self.provider_gateway.round(0)

    def has_provider_work(self) -> bool:
        """Has payment's provider gateway something to do at once?"""
        return self.provider_gateway is not None and not self.provider_gateway.work_queue.is_empty


@dataclass(frozen=True)
class Dependencies:
    """What participants are built from: the simulated world outside them, and their settings."""

    broker: SimulatedBroker
    database: Callable[[str, int], Database]
    wrap: WrapHandler
    provider: Provider
    warehouse: FulfillmentSettings
    settings: ShopManagerSettings
    risk: RiskSettings


def build(name: str, needs: Dependencies) -> SimulatedParticipant:
    """A new process of this name (`risk`, `shop_manager-2`), connected, after what it does at its start."""
    service, _, number = name.partition("-")
    database = needs.database(service, int(number or 1) - 1)
    transport = needs.broker.transport(REPLIES_QUEUE if service == SHOP_MANAGER else commands_queue(service), name)
    built = _BUILDERS[service](name, database, transport, needs)
    built.worker.remember()
    transport.start()
    return built


def _shop_manager(
    name: str, database: Database, transport: SimulatedTransport, needs: Dependencies
) -> SimulatedParticipant:
    outbox = Outbox(manager_schema.outbox, database, transport)
    outages = Outages(database, transport)
    manager = Manager(database, outbox, PROCESSES, needs.settings.policy(), outages)
    worker = Worker(
        SHOP_MANAGER,
        database,
        manager_schema,
        outbox,
        needs.wrap(name, manager.handle),
        before_batch=outages.before_batch,
        after_commit=manager.after_commit,
    )
    opening = Opening(manager, ClientSecrets(SECRET, database), needs.settings.opening())
    ticks = [manager.tick]
    return SimulatedParticipant(
        name, SHOP_MANAGER, database, transport, outbox, worker, ticks, opening=opening, manager=manager
    )


def _shop(name: str, database: Database, transport: SimulatedTransport, needs: Dependencies) -> SimulatedParticipant:
    dispatcher = Dispatcher(shop(), shop_turns)
    outbox, worker = _with_worker(name, database, shop_schema, transport, needs.wrap, handle=dispatcher.handle)
    ticks = [CartReports(database, dispatcher, outbox).tick]
    cart = CartUseCases(database, dispatcher, outbox)
    return SimulatedParticipant(name, name, database, transport, outbox, worker, ticks, cart=cart)


def _risk(name: str, database: Database, transport: SimulatedTransport, needs: Dependencies) -> SimulatedParticipant:
    dispatcher = Dispatcher(risk(needs.risk), risk_turns)
    outbox, worker = _with_worker(name, database, risk_schema, transport, needs.wrap, handle=dispatcher.handle)
    return SimulatedParticipant(name, name, database, transport, outbox, worker)


def _payment(name: str, database: Database, transport: SimulatedTransport, needs: Dependencies) -> SimulatedParticipant:
    work_queue = WorkQueue()
    dispatcher = Dispatcher(payment(work_queue.add_uncommitted), payment_turns)
    outbox, worker = _with_worker(
        name,
        database,
        payment_schema,
        transport,
        needs.wrap,
        handle=dispatcher.handle,
        after_commit=work_queue.committed,
    )
    gateway = ProviderGateway(database, dispatcher, outbox, needs.provider, work_queue)
    reports = PaymentReports(database, dispatcher, outbox)
    payments = PaymentUseCases(database, gateway, reports, arrival_wait=0.0, answer_wait=0.0, waiters=4)
    ticks = [work_queue.check_due, reports.tick]
    return SimulatedParticipant(
        name, name, database, transport, outbox, worker, ticks, provider_gateway=gateway, payments=payments
    )


def _fulfillment(
    name: str, database: Database, transport: SimulatedTransport, needs: Dependencies
) -> SimulatedParticipant:
    dispatcher = Dispatcher(fulfillment(needs.warehouse), fulfillment_turns)
    outbox, worker = _with_worker(name, database, fulfillment_schema, transport, needs.wrap, handle=dispatcher.handle)
    shipping = ShippingUseCases(database, dispatcher, outbox)
    ticks: list[Callable[[], None]] = []
    if needs.warehouse.warehouse == "auto":
        ticks.append(lambda: _ship_due(shipping, needs.warehouse.auto_after))
    return SimulatedParticipant(name, name, database, transport, outbox, worker, ticks, shipping=shipping)


def _ship_due(shipping: ShippingUseCases, after: float) -> None:
    ship_due(shipping, after)


def _with_worker(
    name: str,
    database: Database,
    technical: TechnicalTables,
    transport: SimulatedTransport,
    wrap: WrapHandler,
    *,
    handle: Callable[[Tx, Sequence[Message]], list[Message]],
    after_commit: Callable[[], None] = lambda: None,
) -> tuple[Outbox, Worker]:
    outbox = Outbox(technical.outbox, database, transport)
    return outbox, Worker(name, database, technical, outbox, wrap(name, handle), after_commit=after_commit)


_BUILDERS: dict[str, Callable[[str, Database, SimulatedTransport, Dependencies], SimulatedParticipant]] = {
    SHOP_MANAGER: _shop_manager,
    "shop": _shop,
    "risk": _risk,
    "payment": _payment,
    "fulfillment": _fulfillment,
}
