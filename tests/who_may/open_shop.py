"""Five services in this process, each behind a door of its own as with `clerk serve`, and things to ask them for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from clerk_cli import up
from clerk_cli.api_faults import faults_router
from clerk_cli.assembly import assemble
from clerk_cli.databases import files_in, open_one
from clerk_cli.faults import Switchboard
from clerk_cli.faults_known import Known
from clerk_cli.running import application
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings
from doors.keys import KeyRing, Role
from doors.operators import Operators
from messaging.broker import REPLIES_QUEUE
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from shop_manager.front import PATHS, front_router
from shop_manager.processes import discover
from tests.who_may.knocking import Behind

LIMIT = 20.0
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
NAMES = [service.name for service in SERVICES]
SETTINGS: dict[str, dict[str, float]] = {"shop": {"cart_wait": 0}, "payment": {"arrival_wait": 0}}
"""What is there is there already: nobody has to wait for it, and who is refused is refused at once."""


class OpenShop:
    """`apps` by service, and `up`: all of them behind one door, with the switchboard of faults.

    `keys` are known to every service; `elsewhere[service]` to all but this one. `sessions`: `own` waits for the
    warehouse, `ended` was shipped, `other` is somebody else's; with the client secret of each in `secrets`.
    """

    def __init__(self, folder: Path) -> None:
        self._broker = MemoryBroker()
        self.databases = {service.name: open_one(service, files_in(folder)) for service in SERVICES}
        for service in SERVICES:
            migrate(self.databases[service.name], service.package)
            if service.name in up.FILLED_BY:
                with self.databases[service.name].begin() as tx:
                    service.module(up.FILLED_BY[service.name]).fill(tx)
        self.keys = _keys(self.databases)
        self.elsewhere = {name: _key_elsewhere(self.databases, name) for name in NAMES}
        self._build()
        self.sessions: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.things: dict[str, str] = {}

    def _build(self) -> None:
        built = {
            name: assemble(service, _settings(service), self.databases[name], self._broker.link)
            for name, service in zip(NAMES, SERVICES, strict=True)
        }
        self._participants = [participant for participant, _ in built.values()]
        every = [router for _, routers in built.values() for router in routers]
        self.apps = {name: self._app([participant], *routers) for name, (participant, routers) in built.items()}
        board = faults_router(Switchboard(), Known(discover()), lambda *_: True)
        self.up = self._app(self._participants, *every, board)
        fronts = [self._front(name) for name in PATHS]
        self.front = self._app([built["shop_manager"][0]], *built["shop_manager"][1], *fronts)

    def _app(self, participants: list[Any], *routers: APIRouter) -> FastAPI:
        return application(participants[0].name, routers, self.databases[participants[0].name], participants)

    def _front(self, name: str) -> APIRouter:
        return front_router({name: f"http://{name}.test"}, transport=Behind(self.apps[name]))

    def __enter__(self) -> OpenShop:
        for participant in self._participants:
            participant.start()
        for participant in self._participants:
            assert participant.wait_ready(LIMIT), participant.refusal or participant.waiting_for
        self._fill()
        return self

    def __exit__(self, *_error: object) -> None:
        for participant in self._participants:
            participant.stop()
        for database in self.databases.values():
            database.close()

    def _fill(self) -> None:
        order = {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], "payment": {"token": "tok_ok"}}
        self.ask("PUT", "/shop/customers/ada", {"name": "Ada"})
        for name, body in {"own": order, "ended": order, "other": {}}.items():
            opened = self.ask("POST", "/shop/session", body)
            self.sessions[name], self.secrets[name] = opened["id"], opened["client_secret"]
        for name in ("own", "ended"):
            self._until(lambda name=name: self._session(name)["payment_status"] == "captured")  # type: ignore[misc]
        label = {"carrier": "Dog Sled", "tracking": "1"}
        self._until(lambda: self._may_ship(label))
        self._until(lambda: self._session("ended")["status"] == "completed")
        self._broker.put(REPLIES_QUEUE, b"nothing that we know", "shop_manager.reply")
        self._until(lambda: bool(self._parked()))
        note = {"action": "note", "reason": "seen", "ids": [self.sessions["own"]]}
        self.things = {
            "parked": self._parked()[0]["id"],
            "bulk": self.ask("POST", "/ops/bulk", note, "admin")["id"],
            "key": KeyRing(self.databases["shop_manager"]).create("warehouse", "spare").split("_")[1],
        }
        Operators(KeyRing(self.databases["shop_manager"])).add_operator("somebody", "viewer")

    def _may_ship(self, label: dict[str, str]) -> bool:
        path = f"/fulfillment/{self.sessions['ended']}/ship"
        return self.call("POST", path, label, "warehouse").is_success

    def _session(self, name: str) -> Any:
        return self.ask("GET", f"/shop/session/{self.sessions[name]}")

    def _parked(self) -> Any:
        return self.ask("GET", "/ops/parked", key="viewer")["data"]

    def ask(self, method: str, path: str, body: Any = None, key: str = "server") -> Any:
        answer = self.call(method, path, body, key)
        assert answer.is_success, answer.text
        return answer.json()

    def call(self, method: str, path: str, body: Any, key: str) -> httpx.Response:
        """At the one door of `clerk up`."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.up)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                headers = {"Authorization": f"Bearer {self.keys[key]}"}
                content = None if body is None else json.dumps(body)
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(call())

    @staticmethod
    def _until(holds: Callable[[], bool]) -> None:
        end = monotonic() + LIMIT
        while not holds():
            assert monotonic() < end
            Event().wait(0.02)


def _settings(service: Service) -> Any:
    return read_settings(service, **SETTINGS.get(service.name, {}))


def _keys(databases: dict[str, Database]) -> dict[str, str]:
    """One of each kind, and those that were good once: `disabled` and `revoked`."""
    home = KeyRing(databases["shop_manager"])
    people = Operators(home)
    keys = {
        "server": home.create("server", "shop"),
        "warehouse": home.create("warehouse", "hall"),
        "revoked": home.create("server", "before"),
        "disabled": people.add_operator("gone", "admin")[1],
    }
    keys |= {role: home.create("operator", f"script of a {role}", role) for role in ROLES}
    for name, database in databases.items():
        ring = home if name == "shop_manager" else KeyRing(database)
        for kind, key in keys.items():
            ring.put(key, kind, _role(kind))
        ring.revoke(keys["revoked"].split("_")[1])
        ring.revoke(keys["disabled"].split("_")[1])
    with home.database.begin() as tx:
        gone = people.find_within(tx, "gone")
        assert gone is not None
        people.disable_within(tx, gone)
    return keys


def _role(kind: str) -> Role | None:
    return next((role for role in ROLES if role == kind), "admin" if kind == "disabled" else None)


def _key_elsewhere(databases: dict[str, Database], but: str) -> str:
    key = KeyRing(databases["shop" if but != "shop" else "risk"]).create("server", f"not of {but}")
    for name, database in databases.items():
        if name != but:
            KeyRing(database).put(key, f"not of {but}")
    return key
