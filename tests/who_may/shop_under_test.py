"""Five services in this process, each with an HTTP API of its own as with `clerk serve`, and data to ask them for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from clerk_cli.composition_root import application, compose
from clerk_cli.databases import files_in, open_one
from clerk_cli.faults.api import faults_router
from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import Switchboard
from clerk_cli.passed_on_routes import routers_to_describe
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings
from clerk_cli.up import fill_with_demo_shop
from http_api.keys import KeyRing, Role
from http_api.operators import Operators
from http_api.tests.access_keys import add_key, revoke_key
from http_api.tests.checked_answers import AnswerCheck, checked
from messaging.broker import REPLIES_QUEUE
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from messaging.tests.readiness import becomes_ready
from shop_manager.alerts import outbox
from shop_manager.alerts.wording import facts_of_test
from shop_manager.gateway import PATHS, gateway_router, services_behind
from shop_manager.processes import discover
from tests.who_may.asgi_client import AsgiTransport

LIMIT = 20.0
ROLES: tuple[Role, ...] = ("viewer", "support", "operator", "admin")
NAMES = [service.name for service in SERVICES]
PROVIDER_SECRET = "only the provider and payment know this"
SETTINGS: dict[str, dict[str, Any]] = {
    "shop": {"cart_wait": 0},
    "payment": {"arrival_wait": 0, "provider_secret": PROVIDER_SECRET},
    "shop_manager": {"alert_webhook": "http://127.0.0.1:9/nobody-listens"},
}
"""No call waits for data to arrive: whoever is refused is refused at once. Alerts go somewhere, and arrive nowhere."""


class ShopUnderTest:
    """`apps`: an application for each service; `gateway`: ShopManager's with the gateway; `up`: one for all services,
    with the switchboard.

    `keys` are known to every service; `elsewhere[service]` to all but this one. `sessions`: `own` waits for the
    warehouse, `ended` was shipped, `other` is another customer's; `secrets` has the client secret of each. `checks`
    compare what each application answers with its OpenAPI document.
    """

    def __init__(self, folder: Path, template: str | None = None) -> None:
        """`template`: the URL of the databases, if they are not SQLite files in the folder."""
        self._broker = MemoryBroker()
        self.checks: list[AnswerCheck] = []
        self.databases = {service.name: open_one(service, template or files_in(folder)) for service in SERVICES}
        for service in SERVICES:
            migrate(self.databases[service.name], service.package)
            fill_with_demo_shop(service, self.databases[service.name])
        self.keys = _keys(self.databases)
        self.elsewhere = {name: _key_elsewhere(self.databases, name) for name in NAMES}
        self._build()
        self.sessions: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.things: dict[str, str] = {}

    def _build(self) -> None:
        built = {
            name: compose(service, _settings(service), self.databases[name], self._broker.transport)
            for name, service in zip(NAMES, SERVICES, strict=True)
        }
        self._participants = [participant for participant, _ in built.values()]
        every = [router for _, routers in built.values() for router in routers]
        self.apps = {name: self._app([participant], *routers) for name, (participant, routers) in built.items()}
        board = faults_router(Switchboard(), KnownCommands(discover()), lambda *_: True)
        self.up = self._app(self._participants, *every, board)
        gateways = [self._gateway_router(name) for name in PATHS]
        self.gateway = self._app([built["shop_manager"][0]], *built["shop_manager"][1], *gateways, behind=PATHS)

    def _app(self, participants: list[Any], *routers: APIRouter, behind: Iterable[str] = ()) -> FastAPI:
        home = self.databases[participants[0].name]
        also = partial(routers_to_describe, behind)
        app = application(participants[0].name, routers, home, participants, also_described=also)
        self.checks.append(checked(app))
        return app

    def _gateway_router(self, name: str) -> APIRouter:
        return gateway_router(services_behind({name: f"http://{name}.test"}, transport=AsgiTransport(self.apps[name])))

    def __enter__(self) -> ShopUnderTest:
        for participant in self._participants:
            participant.start()
        for participant in self._participants:
            assert becomes_ready(participant, LIMIT), participant.refusal or participant.waiting_for
        self._create_data()
        return self

    def __exit__(self, *_error: object) -> None:
        for participant in self._participants:
            participant.stop()
        for database in self.databases.values():
            database.close()

    def _create_data(self) -> None:
        order = {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], "payment": {"token": "tok_ok"}}
        self.ask("PUT", "/shop/customers/ada", {"name": "Ada"})
        self.ask("POST", "/shop/session", {"customer": "ada"})  # under way: so that nobody can forget her
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
            "key": add_key(KeyRing(self.databases["shop_manager"]), "warehouse", "spare").split("_")[1],
        }
        Operators(KeyRing(self.databases["shop_manager"])).add_operator("somebody", "viewer")
        with self.databases["shop_manager"].begin() as tx:
            told = facts_of_test("alt_of_a_test", tx.now(), None)
            outbox.write(tx, ["email"], [("a test", told)], tx.now())

    def _may_ship(self, label: dict[str, str]) -> bool:
        path = f"/fulfillment/{self.sessions['ended']}/ship"
        return self.call("POST", path, label, "warehouse").is_success

    def _session(self, name: str) -> Any:
        return self.ask("GET", f"/shop/session/{self.sessions[name]}")

    def _parked(self) -> Any:
        return self.ask("GET", "/ops/parked", key="viewer")["data"]

    def ask(self, method: str, path: str, body: Any = None, key: str = "server") -> Any:
        response = self.call(method, path, body, key)
        assert response.is_success, response.text
        return response.json()

    def call(
        self, method: str, path: str, body: Any, key: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Call the application that has all services."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.up)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                sent = {"Authorization": f"Bearer {self.keys[key]}", **(headers or {})}
                content = None if body is None else json.dumps(body)
                return await client.request(method, path, headers=sent, content=content)

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
    """One key of each kind, and two that are no longer valid: `disabled` and `revoked`.

    `first` is that of an admin who has to choose a password first; ShopManager alone knows it, as it knows people.
    """
    home = KeyRing(databases["shop_manager"])
    people = Operators(home)
    keys = {
        "server": add_key(home, "server", "shop"),
        "warehouse": add_key(home, "warehouse", "hall"),
        "monitoring": add_key(home, "monitoring", "prometheus"),
        "revoked": add_key(home, "server", "before"),
        "disabled": people.add_operator("gone", "admin")[1],
    }
    keys |= {role: add_key(home, "operator", f"script of a {role}", role) for role in ROLES}
    for name, database in databases.items():
        ring = home if name == "shop_manager" else KeyRing(database)
        for kind, key in keys.items():
            ring.put(key, kind, _role(kind))
        revoke_key(ring, keys["revoked"])
        revoke_key(ring, keys["disabled"])
    with home.database.begin() as tx:
        gone = people.find_within(tx, "gone")
        assert gone is not None
        people.disable_within(tx, gone)
    keys["first"] = people.add_operator("first-with-a-script", "admin", must_change=True)[1]
    return keys


def _role(kind: str) -> Role | None:
    return next((role for role in ROLES if role == kind), "admin" if kind == "disabled" else None)


def _key_elsewhere(databases: dict[str, Database], but: str) -> str:
    key = add_key(KeyRing(databases["shop" if but != "shop" else "risk"]), "server", f"not of {but}")
    for name, database in databases.items():
        if name != but:
            KeyRing(database).put(key, f"not of {but}")
    return key
