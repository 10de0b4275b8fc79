"""The doors of a service under test, knocked at without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from doors.furnish import furnish
from doors.keys import KeyRing
from doors.limits import Limits
from messaging.database import Database


class Door:
    """`server` and `warehouse` are live keys."""

    def __init__(self, database: Database, routers: Sequence[APIRouter]) -> None:
        ring = KeyRing(database)
        ring.tables.keys.metadata.create_all(database.engine)
        self.server = ring.create("server", "backend")
        self.warehouse = ring.create("warehouse", "warehouse")
        self.app = FastAPI()
        self.app.state.keys = ring
        for router in routers:
            self.app.include_router(router)
        furnish(self.app, limits=Limits(), known=ring.known)

    def call(self, method: str, path: str, key: str | None = None, json: Any = None) -> httpx.Response:
        async def knock() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                headers = {"Authorization": f"Bearer {key}"} if key else {}
                return await client.request(method, path, headers=headers, json=json)

        return asyncio.run(knock())
