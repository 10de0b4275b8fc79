"""The whole demo shop in this process, with a record of every message that is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import httpx
import orjson

from clerk_cli.composition_root import application, compose
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import files_in, open_one
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.services import SERVICES
from clerk_cli.settings_read import read_settings
from clerk_cli.up import fill_with_demo_shop
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from messaging.tests.readiness import becomes_ready

LIMIT = 20.0
CHECK_EVERY = 0.02
ENDS = frozenset({"completed", "failed", "canceled", "expired"})


class RecordingBroker(MemoryBroker):
    """Records in `seen` all messages that were put on a queue: (queue, routing key, JSON)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, Any]] = []

    def put(self, queue: str, body: bytes, topic: str, sender: str | None = None) -> None:
        if body.startswith(b"[{"):
            self.seen += [(queue, topic, message) for message in orjson.loads(body)]
        super().put(queue, body, topic, sender)


class WholeShop:
    """All five services, on SQLite files or where the URL template says, with one HTTP API. It ships at once."""

    def __init__(self, place: Path | str) -> None:
        self.broker = RecordingBroker()
        template = files_in(place) if isinstance(place, Path) else place
        self._databases = {service: open_one(service, template) for service in SERVICES}
        for service, database in self._databases.items():
            migrate(database, service.package)
            fill_with_demo_shop(service, database)
        credentials = new_credentials()
        admit(credentials, self._databases)
        self.server_key, self.operator_key = credentials.server_key, credentials.operator_key
        self.warehouse_key = credentials.warehouse_key
        running = [
            compose(service, self._settings(service), database, self.broker.transport)
            for service, database in self._databases.items()
        ]
        self._participants = [participant for participant, _ in running]
        bound = bind("127.0.0.1", 0)
        routers = [router for _, its_routers in running for router in its_routers]
        app = application("Shop Clerk", routers, self._databases[SERVICES[0]], self._participants)
        self._server = HttpServer(app, bound)
        self._client = httpx.Client(base_url=url_of("127.0.0.1", bound), trust_env=False, timeout=30.0)

    @staticmethod
    def _settings(service: Any) -> Any:
        given = {"warehouse": "auto", "auto_after": 0} if service.name == "fulfillment" else {}
        return read_settings(service, **given)

    def __enter__(self) -> WholeShop:
        for participant in self._participants:
            participant.start()
        for participant in self._participants:
            assert becomes_ready(participant, LIMIT), participant.refusal or participant.waiting_for
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()
        self._server.stop()
        for participant in self._participants:
            participant.stop()

    def ask(self, method: str, path: str, key: str, json: Any = None) -> Any:
        """The JSON of the response; an error response fails the test."""
        response = self._client.request(method, path, json=json, headers={"Authorization": f"Bearer {key}"})
        assert response.is_success, response.text
        return response.json()

    def answer(
        self, method: str, path: str, key: str | None, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The response, whatever it is. The path goes out as it is written."""
        shown = {"Authorization": f"Bearer {key}"} if key else {}
        return self._client.request(method, path, json=json, headers={**shown, **(headers or {})})

    @staticmethod
    def in_the_background(act: Callable[[], object]) -> Thread:
        """It runs beside the test. A call that waits holds one of its network's few places: join it at the end."""
        started = Thread(target=act, daemon=True)
        started.start()
        return started

    def try_to(self, method: str, path: str, key: str) -> int:
        """The status of the response, whatever it is."""
        return self._client.request(method, path, headers={"Authorization": f"Bearer {key}"}).status_code

    def order(self, *, customer: str = "ada", token: str = "tok_ok", quantity: int = 2, **more: Any) -> dict[str, Any]:
        """Open a session that brings its order and card along; returns it as it ended."""
        wanted = {
            "customer": customer,
            "items": [{"sku": "SQUEAKY-BONE", "quantity": quantity}],
            "payment": {"token": token},
            **more,
        }
        return self.ended(self.ask("POST", "/shop/session", self.server_key, wanted)["id"])

    def ended(self, session: str) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def ended() -> bool:
            seen.update(self.ask("GET", f"/shop/session/{session}", self.server_key))
            return seen["status"] in ENDS

        self.until(ended)
        return seen

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        end = monotonic() + LIMIT
        while not holds():
            assert monotonic() < end
            Event().wait(CHECK_EVERY)

    def went_through(self, session: str) -> list[str]:
        """`["shopping done", …, "capture refused", "stock undone", …]`, from the operators' timeline."""
        path = f"/ops/clerks/{session}/timeline?limit=200"
        lines = self.ask("GET", path, self.operator_key)["data"]
        return [f"{line['step']} {line['what']}" for line in lines if line["what"] in ("done", "refused", "undone")]
