"""ShopManager put together: what runs, which doors there are, and when it must not go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from messaging.broker import DEAD_QUEUE, REPLIES_QUEUE
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.migrations import NotMigrated
from shop_manager.main import GAVE_UP, build, handle_nothing, now_and_then
from shop_manager.settings import ShopManagerSettings

DOORS = {
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
    links = broker.link(REPLIES_QUEUE, "shop_manager"), broker.link(DEAD_QUEUE, "shop_manager dead letters")
    participant, _ = build(ShopManagerSettings(_env_file=None), database, *links)
    assert [(worker.link, worker.park_all) for worker in participant.workers] == [(links[0], ""), (links[1], GAVE_UP)]
    with database.begin() as tx:
        assert handle_nothing(tx, []) == []


def test_every_door_of_api_md_is_there(database: Database) -> None:
    broker = MemoryBroker()
    links = broker.link(REPLIES_QUEUE, "a"), broker.link(DEAD_QUEUE, "b")
    _, routers = build(ShopManagerSettings(_env_file=None), database, *links)
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    paths = app.openapi()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} >= DOORS


def test_without_its_tables_it_does_not_go_on(database: Database) -> None:
    broker = MemoryBroker()
    links = broker.link(REPLIES_QUEUE, "a"), broker.link(DEAD_QUEUE, "b")
    participant, _ = build(ShopManagerSettings(_env_file=None), database, *links)
    with pytest.raises(NotMigrated, match="clerk migrate"):
        participant.prepare()


def test_some_ticks_do_their_work_only_now_and_then() -> None:
    done: list[int] = []
    tick = now_and_then(lambda: done.append(1), every=3600)
    tick()
    tick()
    assert done == [1]
