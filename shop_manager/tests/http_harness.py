"""ShopManager with its HTTP API: clients call it, the test answers for the services, and sets the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry

from domain.document import SECTION_OF
from domain.messages import Command, Outcome, answer
from domain.refusals import Refused
from http_api.application import service_app
from http_api.health import health_router
from http_api.keys import Holder, KeyRing
from http_api.rate_limits import Limits
from messaging.memory import MemoryBroker
from shop_manager import demo
from shop_manager.alerts.desk import AlertDesk
from shop_manager.dashboard.error_pages import problem_page
from shop_manager.dashboard.return_paths import HOME
from shop_manager.engine.search_index import SearchIndex
from shop_manager.main import client_routers, dashboard_of, notify_all, ops_routers, provider_of, routers_of
from shop_manager.operations.facade import Operations
from shop_manager.sessions.change_notifier import ChangeNotifier, versions_in
from shop_manager.sessions.client_secrets import ClientSecrets
from shop_manager.sessions.opening import Opening
from shop_manager.sessions.reads import Sessions
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.manager_harness import ManagerHarness

SERVER = "sk_shop"
ITEMS = [{"sku": "SQUEAKY-BONE", "quantity": 2}]
ORDERED = [{"sku": "SQUEAKY-BONE", "name": "Squeaky bone", "quantity": 2, "unit_amount": 1295, "total": 2590}]
DONE: dict[str, dict[str, Any]] = {
    "StartShopping": {"status": "placed", "items": ORDERED, "total": 2590},
    "ReserveCredit": {"status": "reserved", "amount": 2590},
    "AuthorizePayment": {"status": "authorized", "amount": 2590, "reference": "pay_1"},
    "AllocateStock": {"status": "allocated", "carrier": None, "tracking": None},
    "CapturePayment": {"status": "captured"},
    "CollectPayment": {"status": "captured"},
    "ShipOrder": {"status": "shipped", "carrier": "DHL", "tracking": "123"},
    "DeliverOrder": {"status": "delivered"},
    "SettleCredit": {"status": "settled"},
}
UNDONE: dict[str, dict[str, Any]] = {
    "CancelOrder": {"status": "canceled"},
    "ReleaseCredit": {"status": "released"},
    "VoidPayment": {"status": "voided"},
    "ReleaseStock": {"status": "released"},
}


class Keys(KeyRing):
    """A key ring with a few fixed keys, without hashing and database."""

    def __init__(self) -> None:
        """There is no database."""

    def check(self, plain: str) -> Holder | None:
        return {
            SERVER: Holder("a", "server", "shop"),
            "sk_other": Holder("d", "server", "other"),
            "sk_twin": Holder("g", "server", "shop"),
            "wk_hall": Holder("b", "warehouse", "hall"),
            "op_night": Holder("c", "operator", "night", "viewer"),
            "op_desk": Holder("s", "operator", "desk", "support"),
            "op_day": Holder("e", "operator", "day", "operator"),
            "op_boss": Holder("f", "operator", "boss", "admin"),
        }.get(plain)

    def recall(self, plain: str) -> Holder | None:
        return self.check(plain)

    def forget(self, key_id: str) -> None:
        """Nothing is remembered."""

    def known(self, plain: str) -> bool:
        return self.check(plain) is not None


class HttpHarness(ManagerHarness):
    """The ManagerHarness with the HTTP API. `call` returns once the response is complete."""

    def __init__(self, folder: Path, broker: MemoryBroker | None = None, **settings: Any) -> None:
        super().__init__(folder, broker)
        self.settings = ShopManagerSettings(_env_file=None, **settings)
        self.notifier = ChangeNotifier(versions_in(self.database), every=0.02)
        self.secrets = ClientSecrets(self.settings.secret, self.database)
        self.secrets.prepare()
        self.manager.search = SearchIndex(self.secrets.hashed)
        self.sessions = Sessions(self.manager, self.notifier, self.settings.waiting_per_address)
        self.operations = Operations(self.sessions)
        self.manager.on_change = notify_all(self.notifier.changed, self.operations.notifier.changed)
        with self.database.begin() as tx:
            demo.fill(tx)
        self.opening = Opening(self.manager, self.secrets, self.settings.opening(), clock=lambda: self.now / 1000)
        self.provider = provider_of(self.settings)
        self.desk = AlertDesk(self.database, self.settings.alerts())
        self.keys: KeyRing = Keys()
        self.limits = Limits()

    @cached_property
    def app(self) -> FastAPI:
        """The whole of it."""
        urls = self.settings.service_urls()
        routers = routers_of(
            self.sessions, self.opening, self.operations, urls, self.desk,
            provider=self.provider, trace_url=self.settings.trace_url,
        )  # fmt: skip
        return self._app_with(routers)

    @cached_property
    def _pages_app(self) -> FastAPI:
        urls = self.settings.service_urls()
        return self._app_with(dashboard_of(self.operations, urls, self.desk, self.provider, self.settings.trace_url))

    @cached_property
    def _clients_app(self) -> FastAPI:
        return self._app_with(client_routers(self.sessions, self.opening))

    @cached_property
    def _ops_app(self) -> FastAPI:
        return self._app_with(ops_routers(self.operations, self.desk))

    def _app_with(self, routers: Sequence[APIRouter]) -> FastAPI:
        return service_app(
            "Shop Clerk: shop_manager",
            routers,
            self.keys,
            limits=self.limits,
            health=health_router(dict, CollectorRegistry()),
            pages_under={HOME: problem_page},
            public=self.settings.public_address(),
        )

    def app_at(self, path: str) -> FastAPI:
        """What answers there: a part of `app` if one does, because to put all routes together takes half a second."""
        parts = {"/shop/": "_clients_app", "/ops/": "_ops_app", HOME: "_pages_app"}
        found: FastAPI = getattr(self, next((part for at, part in parts.items() if path.startswith(at)), "app"))
        return found

    # --- calls -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, key: str | None = None, **words: Any) -> httpx.Response:
        return asyncio.run(self.acall(method, path, key, **words))

    async def acall(self, method: str, path: str, key: str | None = None, **words: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **words.pop("headers", {})}
        transport = httpx.ASGITransport(self.app_at(path), client=words.pop("client", ("127.0.0.1", 123)))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            return await client.request(method, path, headers=headers, **words)

    def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("GET", path, key, headers=named)

    def opened(self, key: str | None = None, **body: Any) -> dict[str, Any]:
        """A session, freshly opened: the answer of its 201."""
        answered = self.call("POST", "/shop/session", key, json=body)
        assert answered.status_code == 201, answered.text
        found: dict[str, Any] = answered.json()
        return found

    def brings_all(self, key: str | None = None, **body: Any) -> dict[str, Any]:
        """A session that brought its order and its payment means along."""
        return self.opened(key, items=ITEMS, payment={"token": "tok_ok"}, **body)

    def session(self, clerk: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/shop/session/{clerk}", SERVER).json()
        return found

    def while_waiting(
        self, method: str, path: str, key: str, act: Callable[[], object], **words: Any
    ) -> httpx.Response:
        """The answer to a call that waits; `act` happens as soon as it does."""

        async def both() -> httpx.Response:
            call = asyncio.ensure_future(self.acall(method, path, key, **words))
            await reached(lambda: call.done() or self._somebody_waits())
            await run_in_threadpool(act)
            return await asyncio.wait_for(call, 5)

        return asyncio.run(both())

    def _somebody_waits(self) -> bool:
        """Has a waiter read its Clerk, and does it now wait for another version?"""
        return any(waiter.version is not None for waiters in self.notifier._waiting.values() for waiter in waiters)

    # --- the services ----------------------------------------------------------------------------------------------

    def answers(self, command: Command, outcome: Outcome | None = None, code: str = "no") -> None:
        """What a service says to a command; by itself what it says when all goes well."""
        found = {**DONE, **UNDONE}[command.name]
        outcome = outcome or ("done" if command.direction == "do" else "undone")
        section = SECTION_OF[command.service]
        document = command.document
        if outcome in ("done", "undone"):
            document = {**document, section: {**(document.get(section) or {}), **found}}
        refusal = Refused(code, code.replace("_", " ")) if outcome == "refused" else None
        self.hears(answer(command, outcome, document, self.now, refusal))

    def goes_on_to(self, name: str) -> Command:
        """All goes well until this command is asked; it waits for an answer."""
        while True:
            [command] = self.sent()
            if command.name == name:
                return command
            self.answers(command)

    def goes_on_to_the_end(self) -> None:
        while commands := self.sent():
            self.answers(commands[0])


def waits(session: dict[str, Any], seconds: int) -> dict[str, str]:
    """The headers of a client that has seen this version, and waits for another one."""
    return {"Prefer": f"wait={seconds}", "If-None-Match": f'"{session["version"]}"'}


async def reached(state: Callable[[], object], limit: float = 5.0) -> None:
    """Wait until a state is reached; the loop goes round meanwhile."""

    async def look() -> None:
        while not state():
            await turn_of_the_loop()

    await asyncio.wait_for(look(), limit)


def turn_of_the_loop() -> Awaitable[object]:
    return run_in_threadpool(lambda: None)
