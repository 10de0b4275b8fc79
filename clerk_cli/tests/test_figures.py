"""The figures of threads and connection pools: what is taken is counted, also when nothing is left."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest
from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import MetaData

from clerk_cli.figures import PoolState, pool_state
from clerk_cli.tests.http_under_test import LIMIT, ServerUnderTest
from http_api.application import service_app
from http_api.health import health_router
from http_api.http_figures import HttpFigures
from http_api.keys import KeyRing
from http_api.rate_limits import Limits
from messaging.database import Database
from messaging.tests.databases import given_postgres

THREADS = 40


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def figures_of(server: ServerUnderTest) -> dict[str, float]:
    status, _, body = server.caller(get("/metrics")).hears()
    assert status == 200
    families = text_string_to_metric_families(body.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_the_figures_are_told_also_while_every_thread_is_taken(tmp_path: Path) -> None:
    database, registry, go_on = Database(f"sqlite:///{tmp_path}/keys.db"), CollectorRegistry(), Event()
    router = APIRouter()
    router.add_api_route("/slow", lambda: go_on.wait(LIMIT))
    app = service_app(
        "Shop Clerk: test",
        [router],
        KeyRing(database),
        limits=Limits(),
        health=health_router(dict, registry),
        figures=HttpFigures(registry),
    )
    with ServerUnderTest(app) as server:
        callers = [server.caller(get("/slow")) for _ in range(THREADS + 2)]
        server.until(lambda: figures_of(server).get("clerk_http_threads_waiting") == 2)
        found = figures_of(server)
        assert found["clerk_http_threads_in_use"] == found["clerk_http_threads_max"] == THREADS
        go_on.set()
        assert {caller.hears()[0] for caller in callers} == {200}
        server.until(lambda: figures_of(server)["clerk_http_threads_in_use"] == 0)
    database.close()


def test_connections_beyond_those_that_are_kept_are_overflow(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/some.db")
    assert pool_state(database) == PoolState(in_use=0, kept=8, overflow=0, most=40)
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(database.engine.connect())
        assert pool_state(database) == PoolState(in_use=10, kept=8, overflow=2, most=40)
    assert pool_state(database) == PoolState(in_use=0, kept=8, overflow=0, most=40)
    database.close()


@pytest.mark.database
def test_the_pool_of_postgresql_has_two_connections_beyond_those_that_are_kept() -> None:
    with given_postgres(MetaData()) as database, ExitStack() as held:
        for _ in range(9):
            held.enter_context(database.engine.connect())
        assert pool_state(database) == PoolState(in_use=9, kept=8, overflow=1, most=10)
