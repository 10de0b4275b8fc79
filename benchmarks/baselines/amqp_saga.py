"""What `naive`, `outbox` and `spike` have in common: five databases, durable quorum queues, and how orders are opened.

An orchestrator keeps the sagas and sends a command for each step to one of four services, which answers it: the same
shape as this product's. Orders are opened by writing the saga and publishing its first command, without any HTTP.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from threading import Event
from time import time
from typing import Any
from uuid import uuid4

import pika
import psycopg2
from pika.adapters.blocking_connection import BlockingChannel

from benchmarks.baselines.business import SAGAS, SERVICES, STEPS, TABLES, Document, new_document
from benchmarks.baselines.processes import Workers

ORCHESTRATOR = "shop_manager"
DURABLE = pika.BasicProperties(delivery_mode=2, content_type="application/json")
LOOK_EVERY, ENDED_WITHIN = 0.1, 600.0
SERVICE_OF = dict(STEPS)
_never = Event()


@dataclass(frozen=True, slots=True)
class Servers:
    """`database` is a URL template with `{service}`; `workers` of each service."""

    broker: str
    database: str
    workers: int

    def dsn(self, service: str) -> str:
        return self.database.format(service=service)

    def channel(self) -> BlockingChannel:
        channel = pika.BlockingConnection(pika.URLParameters(self.broker)).channel()
        channel.confirm_delivery()
        return channel


def servers_given() -> Servers:
    """Those that the environment names."""
    return Servers(os.environ["BENCH_BROKER"], os.environ["BENCH_DATABASE"], int(os.environ["BENCH_WORKERS"]))


def milliseconds() -> int:
    return int(time() * 1000)


def queue_of(service: str) -> str:
    return f"{service}.messages"


def publish(channel: BlockingChannel, service: str, message: Any) -> None:
    """One durable message; returns when the broker has confirmed it."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    channel.basic_publish("", queue_of(service), body, DURABLE, mandatory=True)


def command(order: str, step: str, document: Document) -> dict[str, Any]:
    return {"id": f"{order}/{step}/do", "order": order, "step": step, "document": document}


class SagaPlayer:
    """Sets up tables and queues, forks the workers, and opens orders. `tables` are further ones for every database."""

    def __init__(self, work: Sequence[Callable[[Servers, str], None]], tables: Sequence[str] = ()) -> None:
        self.versions = {name: version(name) for name in ("pika", "psycopg2-binary")} | {"Python": python_version()}
        self._servers = servers_given()
        for service in (ORCHESTRATOR, *SERVICES):
            with psycopg2.connect(self._servers.dsn(service)) as connection, connection.cursor() as cursor:
                for statement in (*(SAGAS if service == ORCHESTRATOR else TABLES[service]), *tables):
                    cursor.execute(statement)
            connection.close()
        channel = self._servers.channel()
        for service in (ORCHESTRATOR, *SERVICES):
            channel.queue_declare(queue_of(service), durable=True, arguments={"x-queue-type": "quorum"})
        channel.connection.close()
        self._workers = Workers()
        for service in (ORCHESTRATOR, *SERVICES):
            for each in work:
                for _ in range(self._servers.workers if each is work[0] else 1):
                    self._workers.start(lambda each=each, service=service: each(self._servers, service))  # type: ignore[misc]
        self._channel = self._servers.channel()
        self._sagas = psycopg2.connect(self._servers.dsn(ORCHESTRATOR))
        self._sagas.autocommit = True
        self.hold, self.let_go = self._workers.hold, self._workers.let_go

    def open(self, orders: int) -> None:
        for _ in range(orders):
            self._open()

    def wait(self) -> None:
        self._until("SELECT count(*) FROM sagas WHERE ended_at IS NULL", 0, LOOK_EVERY)

    def one(self) -> float:
        order = self._open()
        with self._sagas.cursor() as cursor:
            self._until(f"SELECT count(*) FROM sagas WHERE id = '{order}' AND ended_at IS NULL", 0, 0.005)  # noqa: S608
            cursor.execute("SELECT ended_at - opened_at FROM sagas WHERE id = %s", (order,))
            [took] = cursor.fetchone() or (0,)
        return float(took) / 1000

    def _open(self) -> str:
        order, now, first = f"clk_{uuid4().hex}", milliseconds(), STEPS[0][0]
        document = new_document(order, now)
        with self._sagas.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sagas VALUES (%s, 'processing', %s, %s, %s)", (order, first, json.dumps(document), now)
            )
        publish(self._channel, SERVICE_OF[first], self.first_message(command(order, first, document)))
        return order

    def first_message(self, message: dict[str, Any]) -> Any:
        """How the first command is written."""
        return message

    def _until(self, question: str, answer: int, every: float) -> None:
        end = time() + ENDED_WITHIN
        while True:
            with self._sagas.cursor() as cursor:
                cursor.execute(question)
                found = cursor.fetchone()
            if found is not None and found[0] == answer:
                return
            self._workers.require_all()
            if time() > end:
                raise RuntimeError(f"orders are still under way after {ENDED_WITHIN:.0f} s")
            self._channel.connection.process_data_events(0)  # heartbeats
            _never.wait(every)
