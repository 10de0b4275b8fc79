"""`clerk serve`: one service in a process of its own. It listens at once, and waits for what it needs."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import structlog

from clerk_cli import brokers, logs
from clerk_cli.assembly import assemble
from clerk_cli.databases import open_one
from clerk_cli.failpoints import arm_failpoint, watch_doors
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.readiness import trouble
from clerk_cli.running import Running, application
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from clerk_cli.stopping import asked_to_stop
from domain.messages import SHOP_MANAGER

if TYPE_CHECKING:
    from fastapi import APIRouter

LOOK_EVERY = 0.5
"""Seconds between two looks at how things are."""
log = structlog.get_logger()


def run_serve(name: str, host: str | None, port: int | None) -> None:
    """Returns when somebody asked it to stop and everything in hand is finished; Trouble when it must not run."""
    service = the_service(name)
    given = {"host": host, "port": port}
    settings = read_settings(service, **{key: value for key, value in given.items() if value is not None})
    armed = arm_failpoint(os.environ, settings.host)
    logs.configure(as_json=settings.log_json, level=logging.INFO, service=name)
    connect = brokers.rabbitmq(settings.broker_url.get_secret_value())
    database = open_one(service, settings.database_url.get_secret_value(), settings.pool)
    participant, routers = assemble(service, settings, database, connect)
    fronted = front_of(settings) if name == SHOP_MANAGER else []
    app = application(f"Shop Clerk: {name}", [*routers, *fronted], database, [participant])
    if armed:
        watch_doors(app, database)
    with (
        bind(settings.host, settings.port) as bound,
        Running([participant], HttpServer(app, bound, behind_front=is_behind(name, settings))) as running,
    ):
        url = url_of(settings.host, bound)
        running.server.start()
        print(f"listening {url}", flush=True)
        running.start_participants()
        _watch(running, url)


def is_behind(name: str, settings: Any) -> bool:
    """Does somebody in front say who is calling, and whether it was over TLS? The front itself only when it is told."""
    return name != SHOP_MANAGER or bool(settings.behind_proxy)


def front_of(settings: Any) -> list[APIRouter]:
    """The routes to the other services, for those whose URL is set."""
    known = settings.doors()
    if not known:
        return []
    from shop_manager.front import front_router  # noqa: PLC0415  # httpx is needed on a front only

    return [front_router(known)]


def _watch(running: Running, url: str) -> None:
    """Until we are asked to stop: tell each change between ready and not ready, in one line."""
    before: str | None = "starting"
    while not asked_to_stop(within=LOOK_EVERY):
        running.check()
        now = trouble(running.participants)
        if now is None and before is not None:
            print(f"ready {url}", flush=True)
        elif now is not None and now != before:
            log.warning("not_ready", waiting_for=now)
        before = now
    log.info("stopping")
