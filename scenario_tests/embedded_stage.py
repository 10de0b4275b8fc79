"""The embedded stage: the whole shop in this process, on SQLite files and the in-process broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from clerk_cli import services
from clerk_cli.assembly import assemble
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import files_in, open_one
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.running import application
from clerk_cli.services import Service
from clerk_cli.settings_read import read_settings
from messaging.migrations import migrate
from messaging.participant import Participant
from scenario_tests.memory_hand import HandledLink, MemoryHand
from scenario_tests.stage import SETTINGS, Keys
from scenario_tests.traffic import Traffic

if TYPE_CHECKING:
    from fastapi import APIRouter

    from messaging.database import Database

READY_LIMIT = 20.0
Running = tuple[Participant, "list[APIRouter]"]


class EmbeddedStage:
    """A `Stage` (stage.py). A service that is stopped here is one whose line to the broker is cut."""

    def __init__(self, folder: Path) -> None:
        template = files_in(folder)
        self._hand = MemoryHand()
        self._databases = {service.name: open_one(service, template) for service in services.SERVICES}
        for service in services.SERVICES:
            migrate(self._databases[service.name], service.package)
        self.keys = self._admit()
        running = [self._build(service) for service in services.SERVICES]
        self._participants = [participant for participant, _ in running]
        self._server, self._url = _serve(running, self._databases["shop_manager"])
        _start(self._participants)

    def _admit(self) -> Keys:
        credentials = new_credentials()
        admit(credentials, {service: self._databases[service.name] for service in services.SERVICES})
        return Keys(credentials.server_key, credentials.warehouse_key, credentials.operator_key)

    def _build(self, service: Service, called: str = "") -> Running:
        """The service's running part, not started yet; `called` is the name by which its line can be cut."""
        name = called or service.name

        def connect(queue: str, _name: str) -> HandledLink:
            return self._hand.link(queue, name)

        with pytest.MonkeyPatch.context() as environment:
            for variable, value in SETTINGS.items():
                environment.setenv(variable, value)
            settings = read_settings(service)
        return assemble(service, settings, self._databases[service.name], connect)

    def door(self, service: str) -> str:
        return self._url

    def database(self, service: str) -> Database:
        return self._databases[service]

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        yield self._hand.traffic

    def put(self, queue: str, body: bytes) -> None:
        self._hand.broker.put(queue, body, "by.hand.v1")

    def depth(self, queue: str) -> int:
        return self._hand.broker.depth(queue)

    def stop(self, service: str) -> None:
        self._hand.cut(service)

    def kill(self, service: str) -> None:
        raise AssertionError("in the embedded stage there is no process to be killed")

    def kill_broker(self) -> None:
        raise AssertionError("in the embedded stage the broker is no process")

    def start(self, service: str) -> None:
        self._hand.mend(service)

    def stop_broker(self) -> None:
        self._hand.cut()

    def start_broker(self) -> None:
        self._hand.mend()

    @contextmanager
    def another_manager(self) -> Iterator[str]:
        """Beside the first in this process, with a line to the broker of its own."""
        database = open_one(services.SERVICES[0], self._databases["shop_manager"].url)
        running = self._build(services.SERVICES[0], "another shop_manager")
        server, url = _serve([running], database)
        _start([running[0]])
        try:
            yield url
        finally:
            server.stop()
            running[0].stop()
            database.close()

    def close(self) -> None:
        self._server.stop()
        _stop(self._participants)


def _serve(running: Sequence[Running], keys_in: Database) -> tuple[HttpServer, str]:
    bound = bind("127.0.0.1", 0)
    routers = [router for _, routers in running for router in routers]
    app = application("Shop Clerk on stage", routers, keys_in, [participant for participant, _ in running])
    server = HttpServer(app, bound)
    server.start()
    return server, url_of("127.0.0.1", bound)


def _start(participants: Sequence[Participant]) -> None:
    for participant in participants:
        participant.start()
    for participant in participants:
        assert participant.wait_ready(READY_LIMIT), participant.refusal or participant.waiting_for


def _stop(participants: Sequence[Participant]) -> None:
    stops = [Thread(target=participant.stop) for participant in participants]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
