"""A database that hangs behind one route holds up that route only; with real connections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from clerk_cli.tests.http_under_test import LIMIT, Caller, ServerUnderTest
from http_api.application import service_app
from http_api.health import health_router
from http_api.keys import KeyRing
from http_api.rate_limits import Limits
from messaging import database as databases
from messaging import database_limits, postgres
from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS, said_by
from messaging.health_check import HealthCheck
from messaging.tests.hung_server import HungServer

LONG = 10 * LIMIT
PLACES = 5


@pytest.fixture
def hung() -> Iterator[HungServer]:
    with HungServer() as server:
        yield server


@pytest.fixture
def server(hung: HungServer, tmp_path: Path) -> Iterator[ServerUnderTest]:
    """`/hung` asks the database that hangs, `/well` another one, `/none` no database."""
    well, gone = Database(f"sqlite:///{tmp_path}/well.db"), Database(hung.url, pool=PLACES)
    router = APIRouter()
    router.add_api_route("/hung", lambda: asks(gone))
    router.add_api_route("/well", lambda: asks(well))
    router.add_api_route("/none", lambda: "nothing")
    health = health_router(lambda: {"database": check(gone)}, CollectorRegistry())
    app = service_app("Shop Clerk: test", [router], KeyRing(well), limits=Limits(), health=health)
    with ServerUnderTest(app, connections=400) as running:
        yield running
    well.close()
    gone.close()


def asks(database: Database) -> str:
    with database.read() as tx:
        tx.connection.exec_driver_sql("SELECT 1")
    return "asked"


def check(database: Database) -> HealthCheck:
    try:
        database.ping()
    except DATABASE_ERRORS as error:
        return HealthCheck(False, said_by(error))
    return HealthCheck(True)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def told(caller: Caller) -> tuple[int, str]:
    status, _, body = caller.hears()
    return status, json.loads(body).get("code", "")


def test_S4_while_a_database_hangs_everything_else_answers_and_its_callers_are_told_503(
    server: ServerUnderTest, hung: HungServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ANSWER_WITHIN", LONG)  # it hangs for the whole of this test
    monkeypatch.setattr(postgres, "CONNECT_WITHIN", LONG)
    monkeypatch.setattr(databases, "PLACE_WITHIN", 1.0)
    held = [server.caller(get("/hung")) for _ in range(PLACES)]
    hung.takes(PLACES)
    over = [server.caller(get("/hung")) for _ in range(100)]
    begun = monotonic()
    assert server.caller(get("/health/live")).hears()[0] == 200
    for path in ("/none", "/well"):
        assert server.caller(get(path)).hears()[0] == 200
    assert {told(caller) for caller in over} == {(503, "database_unavailable")}
    status, _, body = server.caller(get("/health/ready")).hears()
    assert (status, json.loads(body)["checks"]["database"]["ok"]) == (503, False)
    assert monotonic() - begun < LIMIT
    hung.__exit__()
    assert {told(caller) for caller in held} == {(503, "database_unavailable")}


def test_S4_the_callers_themselves_are_told_503_in_time(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ANSWER_WITHIN", 0.5)
    monkeypatch.setattr(databases, "PLACE_WITHIN", 0.5)
    callers = [server.caller(get("/hung")) for _ in range(60)]
    assert {told(caller) for caller in callers} == {(503, "database_unavailable")}


def test_the_limits_are_these() -> None:
    assert (database_limits.PLACE_WITHIN, database_limits.ANSWER_WITHIN, databases.PING_WITHIN) == (3.0, 5.0, 2.0)
    assert database_limits.MOST_PLACES == 16
