"""`clerk serve`: one service in a process of its own. It listens at once, and waits for its database and broker."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from clerk_cli import brokers, logs
from clerk_cli.composition_root import Part, Running, application, compose
from clerk_cli.databases import open_one
from clerk_cli.errors import CliError
from clerk_cli.failpoints import arm_failpoint, install_http_failpoints
from clerk_cli.file_limit import room_for_connections
from clerk_cli.garbage import frozen_objects
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.loopback import is_loopback
from clerk_cli.passed_on_routes import routers_to_describe
from clerk_cli.readiness import reason_not_ready
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.stopping import asked_to_stop
from clerk_cli.weak_settings import refuse, require_strong_settings
from domain.messages import SHOP_MANAGER
from messaging.settings import senders_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter
    from prometheus_client.registry import Collector

CHECK_EVERY = 0.5
"""Seconds between two looks at whether the service is ready."""
log = structlog.get_logger()


def run_serve(name: str, host: str | None, port: int | None, only: Part | None = None) -> None:
    """Returns when somebody asked it to stop and everything in hand is finished; CliError when it must not run.

    `only`: this part of ShopManager.
    """
    service = the_service(name)
    if only and name != SHOP_MANAGER:
        raise CliError(f"--only {only} is for shop_manager: {name} is never parted")
    given = {"host": host, "port": port}
    settings = read_settings(service, **{key: value for key, value in given.items() if value is not None})
    armed = arm_failpoint(os.environ, settings.host)
    reachable = not is_loopback(settings.host)
    require_strong_settings(settings, reachable=reachable)
    require_confirmed_keys(name, settings, reachable=reachable)
    logs.configure(as_json=settings.log_json, level=logging.INFO, service=name)
    database = open_one(service, settings.database_url.get_secret_value(), settings.pool, settings.sqlite_sync)
    connect = brokers.own_rabbitmq(name, settings)
    participant, routers = compose(service, settings, database, connect, senders_of(settings), only=only)
    confirmed_by, public = keys_confirmed_by(name, settings), settings.public_address()
    urls = service_urls(name, settings) if only != "engine" else {}
    gateway, places = the_gateway(urls, settings) if urls else ([], [])
    app = application(
        f"Shop Clerk: {name}",
        [*routers, *gateway],
        database,
        [participant],
        confirmed_by=confirmed_by,
        public=public,
        behind_proxy=name == SHOP_MANAGER and is_behind_proxy(name, settings),
        origins=settings.origins(),
        also_described=partial(routers_to_describe, urls),
        collectors=places,
    )
    if settings.broker_shared_user:
        log.warning("broker_user_is_shared", user=settings.broker_shared_user, means="whoever has it is every service")
    if armed:
        install_http_failpoints(app, database)
    behind_proxy = is_behind_proxy(name, settings)
    connections = room_for_connections(settings.connections, database.files + gateway_files(name, settings))
    with (
        bind(settings.host, settings.port) as bound,
        Running(
            [participant],
            HttpServer(app, bound, trusts_forwarded_headers=behind_proxy, connections=connections),
        ) as running,
    ):
        url = url_of(settings.host, bound)
        running.server.start()
        print(f"listening {url}", flush=True)
        running.start_participants()
        with frozen_objects():
            _watch(running, url)


def is_behind_proxy(name: str, settings: Any) -> bool:
    """May a proxy's headers say who is calling, and whether it was over TLS?

    Services are behind ShopManager's gateway; ShopManager itself is behind a proxy only if CLERK_BEHIND_PROXY says so.
    """
    return name != SHOP_MANAGER or bool(settings.behind_proxy)


def keys_confirmed_by(name: str, settings: Any) -> str:
    """The URL of the ShopManager that knows which keys are good; empty for ShopManager itself."""
    return "" if name == SHOP_MANAGER else str(settings.shop_manager_url)


def require_confirmed_keys(name: str, settings: Any, *, reachable: bool) -> None:
    """CliError for a service that has nobody to ask whether a key is still good."""
    if name != SHOP_MANAGER and not settings.shop_manager_url:
        refuse(
            ["CLERK_SHOP_MANAGER_URL is not set: a key that is revoked at ShopManager would open this service for "
             "good; set it to ShopManager's address, such as http://127.0.0.1:8470"],
            never_mind=not reachable,
        )  # fmt: skip


def service_urls(name: str, settings: Any) -> Mapping[str, str]:
    """By service, where the gateway finds it; only ShopManager has one."""
    urls: Mapping[str, str] = settings.service_urls() if name == SHOP_MANAGER else {}
    return urls


def the_gateway(urls: Mapping[str, str], settings: Any) -> tuple[list[APIRouter], list[Collector]]:
    """The gateway's routes to the services at these URLs, and the figures of its places."""
    from shop_manager.gateway import GatewayFigures, gateway_router, services_behind  # noqa: PLC0415  # needs httpx

    services = services_behind(urls, settings.gateway_places)
    return [gateway_router(services)], [GatewayFigures(services)]


def gateway_files(name: str, settings: Any) -> int:
    """How many connections to the other services the gateway may have open."""
    return settings.gateway_places * len(settings.service_urls()) if name == SHOP_MANAGER else 0


def _watch(running: Running, url: str) -> None:
    """Until we are asked to stop: print or log each change between ready and not ready, in one line."""
    before: str | None = "starting"
    while not asked_to_stop(within=CHECK_EVERY):
        running.check()
        now = reason_not_ready(running.participants)
        if now is None and before is not None:
            print(f"ready {url}", flush=True)
        elif now is not None and now != before:
            log.warning("not_ready", waiting_for=now)
        before = now
    log.info("stopping")
