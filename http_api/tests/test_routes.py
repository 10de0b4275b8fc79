"""Routes: what stands on a router is on each of its routes, and the application has them as its own."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import Depends, FastAPI, HTTPException
from fastapi.routing import APIRoute

from http_api.routes import Routes, add_routes


def refuse() -> None:
    raise HTTPException(403)


def routers() -> list[Routes]:
    guarded = Routes(prefix="/ops", tags=["operators"], dependencies=[Depends(refuse)])
    hidden = Routes(include_in_schema=False)

    @guarded.get("/things", tags=["things"])
    def things() -> str:
        raise AssertionError("nobody comes here")

    @hidden.post("/login")
    def login() -> str:
        return "in"

    return [guarded, hidden]


def test_what_stands_on_the_router_is_on_each_of_its_routes() -> None:
    app = FastAPI()
    add_routes(app, routers())
    [(path, operations)] = app.openapi()["paths"].items()
    assert (path, operations["get"]["tags"]) == ("/ops/things", ["operators", "things"])

    async def status(method: str, path: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
            return (await client.request(method, path)).status_code

    assert asyncio.run(status("GET", "/ops/things")) == 403
    assert asyncio.run(status("POST", "/login")) == 200
    assert asyncio.run(status("GET", "/login")) == 405


def test_each_is_a_route_of_the_application_itself_and_so_read_once() -> None:
    app = FastAPI(openapi_url=None)
    add_routes(app, routers())
    assert [(type(route), route.path) for route in app.routes if isinstance(route, APIRoute)] == [
        (APIRoute, "/ops/things"), (APIRoute, "/login"),
    ]  # fmt: skip
    assert len(app.routes) == 2


def test_what_a_router_has_is_told_before_an_application_has_it() -> None:
    [guarded, hidden] = routers()
    assert [(each.path, *each.methods) for each in guarded.declared()] == [("/ops/things", "GET")]
    assert [(each.path, *each.methods) for each in hidden.declared()] == [("/login", "POST")]
