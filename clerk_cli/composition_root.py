"""The composition root: puts services together with their database, broker and HTTP API, and runs them in this process.

Everything else takes what it needs as parameters; only here (and in each service's `main.py`) objects are connected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, FastAPI
from prometheus_client.registry import Collector

from clerk_cli.brokers import Connect
from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.figures import metrics_registry
from clerk_cli.http_server import HttpServer
from clerk_cli.readiness import checks
from clerk_cli.services import Service
from clerk_cli.stopping import leave_in_time
from domain.messages import SHOP_MANAGER
from domain.public_url import PublicAddress
from domain.web_origins import AllowedOrigins
from http_api.application import service_app
from http_api.health import health_router
from http_api.http_figures import HttpFigures
from http_api.keys import KeyCheck, KeyRing
from http_api.problem_response import ProblemPage
from http_api.rate_limits import Limits
from http_api.shop_offers import FindOffer, tell_offers
from messaging.broker import DEAD_LETTER_QUEUE, REPLIES_QUEUE, commands_queue
from messaging.database import Database
from messaging.health_check import HealthCheck
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders

Part = Literal["http", "engine"]
"""A part of ShopManager that runs alone."""

if TYPE_CHECKING:
    from messaging.settings import ServiceSettings


def compose(
    service: Service,
    settings: ServiceSettings,
    database: Database,
    connect: Connect,
    senders: Senders = BY_NAME,
    *,
    only: Part | None = None,
) -> tuple[Participant, list[APIRouter]]:
    """The service's participant, not started yet, and its HTTP routes. `senders`: as the broker names the services.

    `only`: this part of ShopManager.

    Raises CliError when its settings or its processes are wrong.
    """
    queues: Sequence[str | None] = [commands_queue(service.name)]
    if service.name == SHOP_MANAGER:
        queues = [None] if only == "http" else [REPLIES_QUEUE, DEAD_LETTER_QUEUE]
    transports = [connect(queue, service.name) for queue in queues]
    build: Callable[..., tuple[Participant, list[APIRouter]]] = service.module("main").build
    with value_errors_reported():
        return build(settings, database, *transports, senders=senders, **({"only": only} if only else {}))


def application(
    title: str,
    routers: Sequence[APIRouter],
    keys_in: Database,
    participants: Sequence[Participant],
    *,
    confirmed_by: str = "",
    public: PublicAddress | None = None,
    behind_proxy: bool = False,
    origins: AllowedOrigins | None = None,
    also_described: Callable[[], Sequence[APIRouter]] = tuple,
    collectors: Sequence[Collector] = (),
) -> FastAPI:
    """One FastAPI application with these routes, `/health/…` and `/metrics`.

    Its keys are those in `keys_in`; with `confirmed_by`, the URL of ShopManager, each is confirmed there. `public` is
    the address under which the outside reaches it; pages of these `origins` may call it from browsers. The routes of
    `also_described` gives are in its OpenAPI document only; `collectors` add to the figures of the participants.
    """
    at_home = SHOP_MANAGER in {each.name for each in participants}
    keys, health_of_keys = _keys(keys_in, confirmed_by, at_home=at_home)
    registry = metrics_registry(participants, collectors)
    health = health_router(lambda: {**checks(participants), **health_of_keys()}, registry)
    pages = _error_pages() if at_home else None
    around = [each.around_http for each in participants if each.around_http]
    app = service_app(
        title,
        routers,
        keys,
        limits=Limits(),
        health=health,
        pages_under=pages,
        public=public,
        behind_proxy=behind_proxy,
        origins=origins,
        around=around,
        also_described=also_described,
        figures=HttpFigures(registry),
    )
    if at_home:
        tell_offers(app, _shops_in(keys_in))
    app.state.checks = {each.name: each.checks for each in participants}  # for the dashboard's home page
    return app


def _keys(
    database: Database, confirmed_by: str, *, at_home: bool
) -> tuple[KeyCheck, Callable[[], dict[str, HealthCheck]]]:
    """What checks keys, and what readiness tells of it. `at_home`: it is ShopManager's database, which is asked."""
    if at_home:
        return KeyRing(database, people=True), dict
    own = KeyRing(database)
    if not confirmed_by:
        unconfirmed = HealthCheck(True, "not confirmed by ShopManager: CLERK_SHOP_MANAGER_URL is not set")
        return own, lambda: {"keys": unconfirmed}
    from http_api.confirmed_keys import ConfirmedKeys  # noqa: PLC0415  # ShopManager and `clerk up` do without
    from http_api.key_authority import ShopManagersKeys  # noqa: PLC0415  # as above

    authority = ShopManagersKeys(confirmed_by)
    return ConfirmedKeys(own, authority), lambda: {"keys": authority.health()}


def _shops_in(database: Database) -> FindOffer:
    """What finds a shop's offer in ShopManager's database."""
    from shop_manager.sessions.repository import find_offer  # noqa: PLC0415  # as below

    return partial(find_offer, database)


def _error_pages() -> dict[str, ProblemPage]:
    """The path under which errors are HTML pages, not JSON, and what makes such a page. Only ShopManager has any."""
    from shop_manager.dashboard.error_pages import problem_page  # noqa: PLC0415  # as below
    from shop_manager.dashboard.return_paths import HOME  # noqa: PLC0415  # no other service needs the dashboard's code

    return {HOME: problem_page}


class Running:
    """The participants and the HTTP server of this process. In a `with`: what was started is stopped at its end."""

    def __init__(self, participants: Sequence[Participant], server: HttpServer) -> None:
        self.participants = participants
        self.server = server
        self._started: list[Participant] = []

    def __enter__(self) -> Running:
        return self

    def __exit__(self, error: type[BaseException] | None, *_more: object) -> None:
        self.stop(0 if error is None else 2)

    def start_participants(self) -> None:
        """Returns at once; they become ready later."""
        for participant in self.participants:
            participant.start()
            self._started.append(participant)

    def check(self) -> None:
        """Raises CliError when something has ended that must run."""
        for participant in self.participants:
            if participant.refusal is not None:
                raise CliError(participant.refusal)
        if not self.server.alive:
            raise CliError("the HTTP server has ended, see the log")

    def stop(self, code: int) -> None:
        """Take nothing more and finish what is in hand: first the HTTP server, then all participants at once.

        Long polls and event streams are answered before the server stops, so that none of them is cut.
        If it takes too long, the process ends at once with exit code `code`.
        """
        leave_in_time(code)
        for participant in self._started:
            participant.on_closing()
        self.server.stop()
        stops = [Thread(target=participant.stop, daemon=True) for participant in self._started]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
