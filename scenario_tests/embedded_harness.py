"""The embedded harness: all five services in this process, on SQLite files and the in-process broker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from clerk_cli import services
from clerk_cli.composition_root import application, compose
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import files_in, open_one
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.services import Service
from clerk_cli.settings_read import read_settings
from http_api.tests.checked_answers import AnswerCheck, checked
from messaging.migrations import migrate
from messaging.participant import Participant
from messaging.tests.readiness import becomes_ready
from scenario_tests.harness import SETTINGS, ApiKeys
from scenario_tests.memory_driver import CuttableTransport, MemoryDriver
from scenario_tests.traffic import Traffic

if TYPE_CHECKING:
    from fastapi import APIRouter

    from messaging.database import Database

READY_LIMIT = 20.0
Running = tuple[Participant, "list[APIRouter]"]


class EmbeddedHarness:
    """A `Harness` (harness.py). To stop a service is to cut its connection to the broker: its HTTP API goes on."""

    knows_senders = True

    def __init__(self, folder: Path, more_settings: Mapping[str, str] | None = None) -> None:
        """`more_settings`: environment variables beside SETTINGS."""
        self._settings = SETTINGS | dict(more_settings or {})
        template = files_in(folder)
        self._driver = MemoryDriver()
        self._databases = {service.name: open_one(service, template, sync="normal") for service in services.SERVICES}
        for service in services.SERVICES:
            migrate(self._databases[service.name], service.package)
        self.keys = self._admit()
        running = [self._build(service) for service in services.SERVICES]
        self._participants = [participant for participant, _ in running]
        self._server, self._url, self._answers = _serve(running, self._databases["shop_manager"])
        _start(self._participants)

    def _admit(self) -> ApiKeys:
        credentials = new_credentials()
        admit(credentials, {service: self._databases[service.name] for service in services.SERVICES})
        return ApiKeys(credentials.server_key, credentials.warehouse_key, credentials.operator_key)

    def _build(self, service: Service, called: str = "") -> Running:
        """The service's participant and routers, not started yet; its connection can be cut under the name `called`."""
        name = called or service.name

        def connect(queue: str | None, service: str) -> CuttableTransport:
            return self._driver.transport(queue, service, name)

        with pytest.MonkeyPatch.context() as environment:
            for variable, value in self._settings.items():
                environment.setenv(variable, value)
            settings = read_settings(service)
        return compose(service, settings, self._databases[service.name], connect)

    def url_of(self, service: str) -> str:
        return self._url

    def database(self, service: str) -> Database:
        return self._databases[service]

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        yield self._driver.traffic

    def put(self, queue: str, body: bytes, sender: str | None) -> None:
        self._driver.broker.put(queue, body, "by.test.v1", sender)

    def depth(self, queue: str) -> int:
        return self._driver.broker.depth(queue)

    def stop(self, service: str) -> None:
        self._driver.cut(service)

    def kill(self, service: str) -> None:
        raise AssertionError("in the embedded harness there is no process to be killed")

    def kill_broker(self) -> None:
        raise AssertionError("in the embedded harness the broker is no process")

    def start(self, service: str) -> None:
        self._driver.mend(service)

    def recover(self) -> None:
        self._driver.mend()

    def stop_broker(self) -> None:
        self._driver.cut()

    def start_broker(self) -> None:
        self._driver.mend()

    @contextmanager
    def another_manager(self) -> Iterator[str]:
        """Beside the first in this process, with a connection to the broker of its own."""
        database = open_one(services.SERVICES[0], self._databases["shop_manager"].url)
        running = self._build(services.SERVICES[0], "another shop_manager")
        server, url, _ = _serve([running], database)
        _start([running[0]])
        try:
            yield url
        finally:
            server.stop()
            running[0].stop()
            database.close()

    def close(self) -> None:
        """AssertionError when something was answered that the OpenAPI document does not have."""
        self._server.stop()
        _stop(self._participants)
        assert not self._answers.found, "\n".join(self._answers.found)


def _serve(running: Sequence[Running], keys_in: Database) -> tuple[HttpServer, str, AnswerCheck]:
    """The server, its URL, and what compares each of its answers with the OpenAPI document."""
    bound = bind("127.0.0.1", 0)
    routers = [router for _, routers in running for router in routers]
    app = application("Shop Clerk under test", routers, keys_in, [participant for participant, _ in running])
    answers = checked(app)
    server = HttpServer(app, bound)
    server.start()
    return server, url_of("127.0.0.1", bound), answers


def _start(participants: Sequence[Participant]) -> None:
    for participant in participants:
        participant.start()
    for participant in participants:
        assert becomes_ready(participant, READY_LIMIT), participant.refusal or participant.waiting_for


def _stop(participants: Sequence[Participant]) -> None:
    stops = [Thread(target=participant.stop) for participant in participants]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
