"""A small application behind our doors, and a caller that stands outside of it, for the tests of this package."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from prometheus_client import CollectorRegistry, Counter
from pydantic import Field
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, TimeoutError

from doors.answers import (
    Body,
    Id,
    check_if_match,
    idempotency_key,
    not_modified,
    preferred_wait,
)
from doors.build import service_app
from doors.callers import (
    Caller,
    caller,
    require_operator,
    require_server,
    require_server_or_operator,
    require_server_or_warehouse,
    require_warehouse,
)
from doors.health import Check, health_router
from doors.keys import KeyRing
from doors.limits import Limits
from doors.problems import Problem
from doors.request import traceparent
from messaging.database import Database

BREAKS = {
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


class Bench:
    """`call` and its kin come from `address`; `clock` drives rate limits and the key ring's memory."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.ring = KeyRing(database, clock=self.clock)
        self.ring.tables.keys.metadata.create_all(database.engine)
        self.checks: dict[str, Check] = {"database": Check(True), "last_tick": Check(True, "ticking", 0.25)}
        self.registry = CollectorRegistry()
        Counter("orders", "Orders taken", registry=self.registry).inc()
        self.seen: list[Any] = []
        self.app: FastAPI = service_app(
            "Shop Clerk: bench",
            [self._router()],
            self.ring,
            limits=limits or Limits(),
            health=health_router(lambda: self.checks, self.registry),
            pages_under={"/people": lambda problem, _scope: Response(f"page: {problem.code}", problem.known.status)},
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
        def order(body: Order, request: Request) -> dict[str, Any]:
            self.seen.append(body)
            return {"token": body.token, "key": idempotency_key(request), "trace": traceparent(request)}

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
        def version(request: Request, must: bool = False) -> dict[str, Any]:
            check_if_match(request, 7, required=must)
            return {"known": not_modified(request, 7), "wait": preferred_wait(request)}

        @router.get("/breaks/{how}")
        def breaks(how: str) -> None:
            raise BREAKS[how]

        @router.get("/problem")
        def problem() -> None:
            raise Problem("session_ended", "it is over", session_id="clk_1")

        @router.get("/me")
        def me(who: Annotated[Caller, Depends(caller)]) -> dict[str, Any]:
            return {"kind": who.kind, "role": who.role, "name": who.name, "secret_sha256": who.secret_sha256}

        doors: dict[str, Callable[..., Caller]] = {
            "server": require_server,
            "warehouse": require_warehouse,
            "either": require_server_or_warehouse,
            "staff": require_server_or_operator,
            "viewer": require_operator("viewer"),
            "operator": require_operator("operator"),
            "admin": require_operator("admin"),
        }
        for path, needed in doors.items():
            router.add_api_route(f"/only/{path}", lambda: {"welcome": True}, dependencies=[Depends(needed)])
        return router


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A body that is sent without a Content-Length."""
    for part in parts:
        yield part


def zipped(text: bytes) -> bytes:
    return gzip.compress(text)
