"""Builds ShopManager: the Participant that runs it, and its HTTP routers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from starlette.types import ASGIApp

from domain.messages import Message
from http_api.key_authority import key_router
from http_api.keys import KeyRing
from http_api.operators import Operators
from messaging.broker import Transport
from messaging.database import Database, Tx
from messaging.migrated import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders
from messaging.worker import Worker
from shop_manager.alerts.api import ops_alerts_router
from shop_manager.alerts.desk import AlertDesk
from shop_manager.alerts.parts import Alerts
from shop_manager.dashboard.router import dashboard_routers
from shop_manager.engine.manager import Changed, Manager
from shop_manager.engine.outages import Outages
from shop_manager.engine.search_index import SearchIndex
from shop_manager.engine.step_hours import FLUSH_EVERY
from shop_manager.engine.store import processes_in_use
from shop_manager.engine.tables import technical
from shop_manager.operations.api import ops_router
from shop_manager.operations.api_activity import ops_activity_router
from shop_manager.operations.api_acts import ops_acts_router
from shop_manager.operations.api_bulk import ops_bulk_router
from shop_manager.operations.api_customer import ops_customer_router
from shop_manager.operations.api_forgetting import ops_forgetting_router
from shop_manager.operations.api_people import ops_people_router
from shop_manager.operations.api_runbooks import ops_runbooks_router
from shop_manager.operations.facade import Operations
from shop_manager.operations.login_audit import SUM_UP_EVERY
from shop_manager.operations.parked_activity import telling_of_parked
from shop_manager.operations.shop_figures import ShopFigures
from shop_manager.operations.tallies import counting
from shop_manager.operations.version_watch import VersionWatch
from shop_manager.processes import ProcessRegistry
from shop_manager.sessions import event_tickets, guests, idempotency
from shop_manager.sessions.api import opening_router, session_list_router, sessions_router
from shop_manager.sessions.api_customers import customers_and_shops_router
from shop_manager.sessions.api_events import events_router
from shop_manager.sessions.authorizing import AuthorizingIsShown
from shop_manager.sessions.change_notifier import ChangeNotifier, versions_in
from shop_manager.sessions.client_secrets import ClientSecrets
from shop_manager.sessions.elsewhere import SessionsElsewhere
from shop_manager.sessions.opening import Opening
from shop_manager.sessions.opening_door import OpeningDoor
from shop_manager.sessions.reads import Sessions
from shop_manager.sessions.search_fill import SearchFill
from shop_manager.sessions.session_etag import SessionEtagMiddleware
from shop_manager.settings import ShopManagerSettings
from shop_manager.waiting_calls import WaitingCalls

if TYPE_CHECKING:
    from http_api.openid import OpenIdProvider

GAVE_UP = "the broker gave it up: delivered too often"
FORGET_EVERY = 60.0
LOOK_EVERY = 1.0
"""Seconds after which a process without an engine reads anew which outages there were."""
Part = Literal["http", "engine"]


def build(
    settings: ShopManagerSettings,
    database: Database,
    transport: Transport,
    dead_letter_transport: Transport | None = None,
    senders: Senders = BY_NAME,
    *,
    only: Part | None = None,
    processes: ProcessRegistry | None = None,
) -> tuple[Participant, list[APIRouter]]:
    """The running part and the routers of ShopManager. `dead_letter_transport` consumes the dead-letter queue.

    `only`: one part of it (docs/decisions/097). `http` answers calls and sends the commands that follow from them; it
    takes no messages, so its transport consumes nothing. `engine` takes messages, keeps deadlines, and has no routers.

    Raises BadProcess or WeakSecret, each with one clear line.
    """
    processes = processes or ProcessRegistry()
    outbox = Outbox(technical.outbox, database, transport)
    outages = Outages(database, transport)
    secrets = ClientSecrets(settings.secret, database)
    search = SearchIndex(secrets.hashed)
    manager = Manager(database, outbox, processes, settings.policy(), outages, senders=senders, search=search)
    notifier = ChangeNotifier(versions_in(database))
    sessions = Sessions(manager, notifier, settings.waiting_per_address)
    operations = Operations(sessions)
    alerts = Alerts(database, processes, settings.alerts())
    watch = VersionWatch(database, processes, settings.service_urls())
    manager.on_change = notify_all(notifier.changed, operations.notifier.changed)

    def prepare() -> None:
        require_migrated(database, "shop_manager")
        with database.read() as tx:
            processes.check_in_use(processes_in_use(tx))
        secrets.prepare()

    def around(app: ASGIApp) -> ASGIApp:
        door = OpeningDoor(app, settings.opening_wait)
        return SessionEtagMiddleware(AuthorizingIsShown(SessionsElsewhere(door, sessions), sessions), database)

    participant = Participant(
        "shop_manager",
        database,
        outbox,
        _workers(database, outbox, manager, outages, dead_letter_transport) if only != "http" else [],
        prepare,
        ticks=_ticks(database, manager, operations, alerts, watch=watch, only=only),
        on_closing=notifier.close,
        on_stop=partial(_stop, alerts, watch),
        more_checks=alerts.checks,
        collectors=[
            manager.step_figures,
            ShopFigures(database, processes, sessions.first_steps),
            *([WaitingCalls(operations)] if only != "engine" else []),
            *alerts.collectors,
        ],
        around_http=around if only != "engine" else None,
    )
    if only == "engine":
        return participant, []
    opening = Opening(manager, secrets, settings.opening())
    desk = AlertDesk(database, alerts.options)
    routers = routers_of(
        sessions, opening, operations, settings.service_urls(), desk,
        provider=provider_of(settings), trace_url=settings.trace_url,
    )  # fmt: skip
    return participant, routers


def provider_of(settings: ShopManagerSettings) -> OpenIdProvider | None:
    """The OpenID provider that may vouch for operators, if one is set."""
    options = settings.openid()
    if options is None:
        return None
    from http_api.openid import OpenIdProvider  # noqa: PLC0415  # cryptography is slow to load, and most do without

    return OpenIdProvider(options)


def _ticks(
    database: Database,
    manager: Manager,
    operations: Operations,
    alerts: Alerts,
    *,
    watch: VersionWatch,
    only: Part | None,
) -> list[Callable[[], None]]:
    """What is called every 0.25 s or so, beside the workers."""
    watching = [now_and_then(act, every) for act, every in alerts.paced]
    of_engine = [manager.tick, counting(database), operations.bulk_run.tick, *watching, *alerts.ticks]
    hours = partial(manager.step_figures.hours.flush, database)
    of_engine += [
        SearchFill(database, manager.search).tick,
        telling_of_parked(database),
        now_and_then(hours, FLUSH_EVERY),
    ]
    if only == "engine":
        return of_engine
    forget = [
        now_and_then(partial(forget_old, database), FORGET_EVERY)
        for forget_old in (idempotency.forget_old, guests.forget_old, event_tickets.forget_old)
    ]
    sum_up = now_and_then(operations.login_audit.sum_up, SUM_UP_EVERY)
    if only == "http":
        return [now_and_then(manager.outages.look, LOOK_EVERY), *forget, sum_up, watch.tick]
    return [*of_engine, *forget, sum_up, watch.tick]


def _stop(alerts: Alerts, watch: VersionWatch) -> None:
    alerts.stop()
    watch.stop()


def _workers(
    database: Database, outbox: Outbox, manager: Manager, outages: Outages, dead_letter_transport: Transport | None
) -> list[Worker]:
    replies = Worker(
        "shop_manager",
        database,
        technical,
        outbox,
        manager.handle,
        before_batch=outages.before_batch,
        after_commit=manager.after_commit,
        senders=manager.senders,
    )
    dead_letter_worker = Worker(
        "shop_manager", database, technical, outbox, handle_nothing, transport=dead_letter_transport, park_all=GAVE_UP
    )
    return [replies, dead_letter_worker]


def handle_nothing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
    """The dead-letter queue's worker parks all that comes: no message reaches its handler."""
    return []


def routers_of(
    sessions: Sessions,
    opening: Opening,
    operations: Operations,
    service_urls: Mapping[str, str],
    desk: AlertDesk,
    *,
    provider: OpenIdProvider | None = None,
    trace_url: str = "",
) -> list[APIRouter]:
    """All routes of ShopManager. `service_urls`: by service, of those that run in other processes."""
    return [
        *client_routers(sessions, opening),
        *ops_routers(operations, desk),
        key_router(KeyRing(operations.database, people=True)),
        *dashboard_of(operations, service_urls, desk, provider, trace_url),
    ]


def client_routers(sessions: Sessions, opening: Opening) -> list[APIRouter]:
    """What is below `/shop`."""
    return [
        opening_router(opening),
        session_list_router(sessions),
        sessions_router(sessions),
        events_router(sessions),
        customers_and_shops_router(sessions.manager.database, sessions.manager.search),
    ]


def ops_routers(operations: Operations, desk: AlertDesk) -> list[APIRouter]:
    """What is below `/ops`."""
    return [
        ops_router(operations),
        ops_activity_router(operations),
        ops_acts_router(operations),
        ops_bulk_router(operations),
        ops_people_router(operations),
        ops_runbooks_router(operations),
        ops_customer_router(operations),
        ops_forgetting_router(operations),
        ops_alerts_router(desk),
    ]


def dashboard_of(
    operations: Operations,
    service_urls: Mapping[str, str],
    desk: AlertDesk,
    provider: OpenIdProvider | None,
    trace_url: str,
) -> list[APIRouter]:
    """What is below `/dashboard`."""
    operators = Operators(KeyRing(operations.database, people=True))
    return dashboard_routers(operations, operators, service_urls, desk, provider, trace_url=trace_url)


def notify_all(*listeners: Callable[[Changed], None]) -> Callable[[Changed], None]:
    """Tells each of them which Clerks have changed, and how they are now."""

    def tell(clerks: Changed) -> None:
        for listener in listeners:
            listener(clerks)

    return tell


def now_and_then(act: Callable[[], object], every: float) -> Callable[[], None]:
    """A tick that acts at most once in `every` seconds."""
    last = float("-inf")

    def tick() -> None:
        nonlocal last
        if monotonic() - last >= every:
            last = monotonic()
            act()

    return tick
