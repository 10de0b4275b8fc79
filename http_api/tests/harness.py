"""A small application with our middleware, and a client that calls it without a network, for this package's tests."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from prometheus_client import CollectorRegistry, Counter
from pydantic import Field
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, TimeoutError

from http_api.application import service_app
from http_api.conventions import (
    Body,
    Id,
    check_if_match,
    idempotency_key,
    not_modified,
    preferred_wait,
)
from http_api.health import health_router
from http_api.http_figures import HttpFigures
from http_api.keys import KeyRing
from http_api.operator_notes import first_passwords_table, long_logins_table
from http_api.principals import (
    AnyPrincipal,
    Principal,
    require_operator,
    require_server,
    require_server_or_operator,
    require_server_or_warehouse,
    require_warehouse,
)
from http_api.problems import Problem
from http_api.rate_limits import Limits
from http_api.request import traceparent
from messaging.database import Database
from messaging.health_check import HealthCheck

FAULTS = {
    "away": OperationalError("SELECT 1", {}, Exception("connection refused")),
    "torn": InterfaceError("SELECT 1", {}, Exception("connection already closed")),
    "queued": TimeoutError("QueuePool limit reached"),
    "wrong": IntegrityError("INSERT planted_sql", {"x": "planted_value"}, Exception("duplicate key")),
    "bug": RuntimeError("planted_secret in a message"),
}


class Item(Body):
    sku: Id
    quantity: Annotated[int, Field(ge=1, le=999)]


class Order(Body):
    items: Annotated[list[Item], Field(default_factory=list)]
    token: str | None = None
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class HttpHarness:
    """`call` and `calls` come from `address`; `clock` drives the rate limits and the key ring's cache."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.ring = KeyRing(database, people=True, clock=self.clock)
        self.ring.tables.keys.metadata.create_all(database.engine)
        first_passwords_table(MetaData()).create(database.engine)
        long_logins_table(MetaData()).create(database.engine)
        self.checks: dict[str, HealthCheck] = {
            "database": HealthCheck(True),
            "last_tick": HealthCheck(True, "ticking", 0.25),
        }
        self.registry = CollectorRegistry()
        Counter("orders", "Orders taken", registry=self.registry).inc()
        self.seen: list[Any] = []
        self.app: FastAPI = service_app(
            "Shop Clerk: harness",
            [self._router()],
            self.ring,
            limits=limits or Limits(),
            health=health_router(lambda: self.checks, self.registry),
            pages_under={"/people": lambda problem, _scope: Response(f"page: {problem.code}", problem.known.status)},
            figures=HttpFigures(self.registry),
            clock=self.clock,
        )
        self.address = "203.0.113.7"

    def call(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        return self.calls([(method, path, key, more)])[0]

    def calls(self, wanted: Iterable[tuple[str, str, str | None, Mapping[str, Any]]]) -> list[httpx.Response]:
        return asyncio.run(self._calls(list(wanted)))

    async def _calls(self, wanted: list[tuple[str, str, str | None, Mapping[str, Any]]]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(self.app, client=(self.address, 4711))
        answers = []
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            for method, path, key, more in wanted:
                headers = [("Authorization", f"Bearer {key}")] if key else []
                headers += list(dict(more.get("headers", {})).items())
                rest = {name: value for name, value in more.items() if name != "headers"}
                answers.append(await client.request(method, path, headers=headers, **rest))
        return answers

    def _router(self) -> APIRouter:
        router = APIRouter()

        @router.post("/orders", status_code=201)
        def order(body: Order, request: Request, who: AnyPrincipal) -> dict[str, Any]:
            self.seen.append(body)
            return {"token": body.token, "key": idempotency_key(request, who), "trace": traceparent(request)}

        @router.post("/shop/session", status_code=201)
        def open_session(request: Request) -> dict[str, Any]:
            return {}

        @router.post("/people/login")
        async def login(request: Request) -> dict[str, str]:
            return {"body": (await request.body()).decode()}

        @router.get("/things/{thing}")
        def thing(thing: Id, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
            return {"thing": thing, "limit": limit}

        @router.get("/versions/7")
        def version(request: Request) -> dict[str, Any]:
            check_if_match(request, 7)
            return {"known": not_modified(request, 7), "wait": preferred_wait(request)}

        @router.get("/breaks/{how}")
        def breaks(how: str) -> None:
            raise FAULTS[how]

        @router.get("/problem")
        def problem() -> None:
            raise Problem("session_ended", "it is over", session_id="clk_1")

        @router.get("/me")
        def me(found: AnyPrincipal) -> dict[str, Any]:
            return asdict(found)

        _add_routes_by_role(router)
        return router


def _add_routes_by_role(router: APIRouter) -> None:
    """`/only/…`: one route for each of the dependencies that let only some principals in."""
    required: dict[str, Callable[..., Awaitable[Principal]]] = {
        "server": require_server,
        "warehouse": require_warehouse,
        "either": require_server_or_warehouse,
        "staff": require_server_or_operator,
        "viewer": require_operator("viewer"),
        "operator": require_operator("operator"),
        "admin": require_operator("admin"),
    }
    for path, dependency in required.items():
        router.add_api_route(
            f"/only/{path}", lambda: {"welcome": True}, name=f"only_{path}", dependencies=[Depends(dependency)]
        )


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A body that is sent without a Content-Length."""
    for part in parts:
        yield part


def zipped(text: bytes) -> bytes:
    return gzip.compress(text)
