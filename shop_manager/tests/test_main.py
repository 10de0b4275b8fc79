"""What `build` puts together: what runs, which routes there are, and when ShopManager must not start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from http_api.routes import add_routes
from messaging.broker import DEAD_LETTER_QUEUE, REPLIES_QUEUE
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.migrated import NotMigrated
from messaging.migrations import migrate
from shop_manager.engine.outages import Outages
from shop_manager.engine.tables import heartbeat
from shop_manager.main import GAVE_UP, build, handle_nothing, now_and_then
from shop_manager.saga.policy import Outage
from shop_manager.settings import ShopManagerSettings

ROUTES = {
    ("POST", "/shop/session"),
    ("GET", "/shop/session"),
    ("GET", "/shop/session/{session}"),
    ("POST", "/shop/session/{session}/cancel"),
    ("POST", "/shop/session/{session}/expire"),
    ("GET", "/shop/session/{session}/events"),
    ("GET", "/shop/session/{session}/clerk"),
    ("GET", "/shop/customers/{customer}"),
    ("PUT", "/shop/customers/{customer}"),
    ("GET", "/shop/shops/{shop}"),
    ("PUT", "/shop/shops/{shop}"),
    ("GET", "/ops/summary"),
    ("GET", "/ops/clerks"),
    ("GET", "/ops/clerks/{clerk}"),
    ("GET", "/ops/clerks/{clerk}/timeline"),
    ("GET", "/ops/parked"),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/shop_manager.db")
    yield database
    database.close()


def test_one_worker_takes_replies_and_one_parks_what_the_broker_gave_up(database: Database) -> None:
    broker = MemoryBroker()
    transports = (
        broker.transport(REPLIES_QUEUE, "shop_manager"),
        broker.transport(DEAD_LETTER_QUEUE, "shop_manager dead letters"),
    )
    participant, _ = build(ShopManagerSettings(_env_file=None), database, *transports)
    assert [(worker.transport, worker.park_all) for worker in participant.workers] == [
        (transports[0], ""),
        (transports[1], GAVE_UP),
    ]
    with database.begin() as tx:
        assert handle_nothing(tx, []) == []


def test_the_http_part_takes_no_messages_and_the_engine_has_no_routes(database: Database) -> None:
    broker, settings = MemoryBroker(), ShopManagerSettings(_env_file=None)
    sends = broker.transport(None, "shop_manager")
    http, routers = build(settings, database, sends, only="http")
    assert http.workers == [] and http.outbox.transport is sends and http.around_http is not None
    transports = broker.transport(REPLIES_QUEUE, "a"), broker.transport(DEAD_LETTER_QUEUE, "b")
    engine, no_routers = build(settings, database, *transports, only="engine")
    assert [worker.transport for worker in engine.workers] == list(transports)
    assert routers and no_routers == [] and engine.around_http is None


def test_the_http_part_says_nowhere_that_replies_are_taken_and_knows_what_outages_others_noticed(
    database: Database,
) -> None:
    migrate(database, "shop_manager")
    transport = MemoryBroker().transport(None, "shop_manager")
    transport.start()
    http, _ = build(ShopManagerSettings(_env_file=None), database, transport, only="http")
    with database.begin() as tx:
        tx.insert(heartbeat, [{"id": 1, "last_at": 7, "outages": "[[3, 7]]"}])
    for tick in http.ticks:
        tick()
    with database.read() as tx:
        assert tx.execute(select(heartbeat.c.last_at)).scalar_one() == 7
    outages = Outages(database, transport)
    outages.look()
    assert outages.known == (Outage(3, 7),)


def test_every_documented_route_is_there(database: Database) -> None:
    broker = MemoryBroker()
    transports = broker.transport(REPLIES_QUEUE, "a"), broker.transport(DEAD_LETTER_QUEUE, "b")
    _, routers = build(ShopManagerSettings(_env_file=None), database, *transports)
    app = FastAPI()
    add_routes(app, routers)
    paths = app.openapi()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} >= ROUTES


def test_without_its_tables_it_does_not_go_on(database: Database) -> None:
    broker = MemoryBroker()
    transports = broker.transport(REPLIES_QUEUE, "a"), broker.transport(DEAD_LETTER_QUEUE, "b")
    participant, _ = build(ShopManagerSettings(_env_file=None), database, *transports)
    with pytest.raises(NotMigrated, match="clerk migrate"):
        participant.prepare()


def test_some_ticks_do_their_work_only_now_and_then() -> None:
    done: list[int] = []
    tick = now_and_then(lambda: done.append(1), every=3600)
    tick()
    tick()
    assert done == [1]
