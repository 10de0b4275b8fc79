"""A bare version of this product's design: `python -m benchmarks.baselines.spike`.

Batches, many documents in one message, one transaction with inbox and outbox a batch, psycopg2 without SQLAlchemy, the
whole document both ways. It has no HTTP, no undo, no retries, no history, no checks of what it reads: what the design
costs when nothing else is there. One worker a service, as with this product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import orjson
from psycopg2 import connect
from psycopg2.extras import execute_values

from benchmarks.baselines.amqp_saga import (
    ORCHESTRATOR,
    SERVICE_OF,
    SagaPlayer,
    Servers,
    command,
    milliseconds,
    publish,
    queue_of,
)
from benchmarks.baselines.business import next_step
from benchmarks.baselines.conversation import converse
from benchmarks.baselines.spike_business import MANY_ACTS

TABLES = (
    "CREATE TABLE inbox (id varchar(128) PRIMARY KEY)",
    "CREATE TABLE outbox (number bigserial PRIMARY KEY, service varchar(32) NOT NULL, body bytea NOT NULL)",
)
Messages = list[dict[str, Any]]
DELIVERIES, PACK = 100, 50
"""How many deliveries a batch has at most, and how many documents a message."""


class Worker:
    """One service: takes what has come, does all of it in one transaction, sends what follows."""

    def __init__(self, servers: Servers, service: str) -> None:
        self._service = service
        self._channel = servers.channel()
        self._channel.basic_qos(prefetch_count=2 * DELIVERIES)
        self._connection = connect(servers.dsn(service))
        self._sent: list[int] = []
        """Numbers of the outbox's rows that the broker has; deleted in the next transaction."""

    def run(self) -> None:
        waiting: list[tuple[int, bytes]] = []
        self._channel.basic_consume(
            queue_of(self._service), lambda _c, method, _p, body: waiting.append((method.delivery_tag, body))
        )
        while True:
            self._channel.connection.process_data_events(0 if waiting else 1)
            if waiting:
                batch, waiting[:] = waiting[:DELIVERIES], waiting[DELIVERIES:]
                self._handle([message for _tag, body in batch for message in orjson.loads(body)])
                self._channel.basic_ack(batch[-1][0], multiple=True)

    def _handle(self, messages: Messages) -> None:
        with self._connection, self._connection.cursor() as cursor:
            new = self._received(cursor, messages)
            follow = advance(cursor, new) if self._service == ORCHESTRATOR else do_steps(cursor, new)
            packs = [(to, orjson.dumps(pack)) for to, its in follow.items() for pack in packed(its)]
            if self._sent:
                cursor.execute("DELETE FROM outbox WHERE number = ANY(%s)", (self._sent,))
            numbers = (
                execute_values(
                    cursor, "INSERT INTO outbox (service, body) VALUES %s RETURNING number", packs, fetch=True
                )
                if packs
                else []
            )
        for to, body in packs:
            publish(self._channel, to, body)
        self._sent = [number for (number,) in numbers]

    def _received(self, cursor: Any, messages: Messages) -> Messages:
        """The messages that had not come before."""
        ids = [(message["id"],) for message in messages]
        found = execute_values(
            cursor, "INSERT INTO inbox VALUES %s ON CONFLICT DO NOTHING RETURNING id", ids, page_size=9999, fetch=True
        )
        new = {identifier for (identifier,) in found}
        return [message for message in messages if message["id"] in new]


def packed(messages: Messages) -> Sequence[Messages]:
    return [messages[first : first + PACK] for first in range(0, len(messages), PACK)]


def do_steps(cursor: Any, messages: Messages) -> dict[str, Messages]:
    """Do the business of all these commands; the answers, by receiver."""
    by_step: dict[str, Messages] = defaultdict(list)
    for message in messages:
        by_step[message["step"]].append(message)
    now = milliseconds()
    for step, its in by_step.items():
        documents = [message["document"] for message in its]
        MANY_ACTS[step](cursor, documents, [message["order"] for message in its], now)
    for message in messages:
        message["id"] = f"{message['order']}/{message['step']}/reply"
    return {ORCHESTRATOR: messages}


def advance(cursor: Any, replies: Messages) -> dict[str, Messages]:
    """Write every saga of these answers; the commands that follow, by service."""
    follow: dict[str, Messages] = defaultdict(list)
    now, rows = milliseconds(), []
    for reply in replies:
        step = next_step(reply["step"])
        document = orjson.dumps(reply["document"]).decode()
        rows.append((reply["order"], step, document, None if step else now))
        if step:
            follow[SERVICE_OF[step]].append(command(reply["order"], step, reply["document"]))
    execute_values(
        cursor,
        "UPDATE sagas SET step = v.step, document = v.document, ended_at = v.ended_at, "
        "status = CASE WHEN v.step IS NULL THEN 'completed' ELSE 'processing' END "
        "FROM (VALUES %s) v (id, step, document, ended_at) WHERE sagas.id = v.id",
        rows,
        template="(%s, %s::varchar, %s, %s::bigint)",
        page_size=9999,
    )
    return follow


def work(servers: Servers, service: str) -> None:
    Worker(servers, service).run()


class SpikePlayer(SagaPlayer):
    """Its first command is a list of one, like every message of it."""

    def first_message(self, message: dict[str, Any]) -> Any:
        return [message]


if __name__ == "__main__":
    player = SpikePlayer([work], TABLES)
    player.versions["orjson"] = version("orjson")
    converse(player)
