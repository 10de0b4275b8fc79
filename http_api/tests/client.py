"""A client of a service's routes, for tests of the services: it calls them without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from http_api.install_middleware import install_middleware
from http_api.keys import KeyRing
from http_api.rate_limits import Limits
from http_api.routes import add_routes
from http_api.tests.access_keys import add_key
from messaging.database import Database


class ServiceClient:
    """The application has the middleware of a real one; `server` and `warehouse` are keys that it knows."""

    def __init__(self, database: Database, routers: Sequence[APIRouter]) -> None:
        ring = KeyRing(database)
        ring.tables.keys.metadata.create_all(database.engine)
        self.server = add_key(ring, "server", "backend")
        self.warehouse = add_key(ring, "warehouse", "warehouse")
        self.app = FastAPI()
        self.app.state.keys = ring
        add_routes(self.app, routers)
        install_middleware(self.app, limits=Limits(), known=ring.known)

    def call(self, method: str, path: str, key: str | None = None, json: Any = None, **more: Any) -> httpx.Response:
        """`more`: `headers` beside the key's, or `content` instead of `json`."""
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {key}"} if key else {})}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                return await client.request(method, path, headers=headers, json=json, **more)

        return asyncio.run(send())
