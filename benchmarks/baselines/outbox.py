"""The textbook: `python -m benchmarks.baselines.outbox`.

As `naive`, but each message's id goes into an inbox table and what follows into an outbox table, in the transaction of
the business; a relay of each service looks into the outbox, publishes with confirm, and deletes what was confirmed.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from threading import Event

import psycopg2
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from benchmarks.baselines.amqp_saga import SagaPlayer, Servers, publish, queue_of
from benchmarks.baselines.conversation import converse
from benchmarks.baselines.naive import handle

TABLES = (
    "CREATE TABLE inbox (id varchar(128) PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE outbox (number bigserial PRIMARY KEY, service varchar(32) NOT NULL, body text NOT NULL)",
)
LOOK_EVERY = 0.02
"""Seconds between two looks into an empty outbox."""
AT_ONCE = 100
RECEIVED = text("INSERT INTO inbox (id) VALUES (:id) ON CONFLICT DO NOTHING RETURNING id")
TO_SEND = text("INSERT INTO outbox (service, body) VALUES (:service, :body)")


def work(servers: Servers, service: str) -> None:
    engine = create_engine(servers.dsn(service).replace("postgresql:", "postgresql+psycopg2:", 1), pool_size=1)
    channel = servers.channel()
    channel.basic_qos(prefetch_count=1)
    for method, _properties, body in channel.consume(queue_of(service)):
        message = json.loads(body)
        with Session(engine) as session:
            if session.execute(RECEIVED, {"id": message["id"]}).first() is not None:
                follows = handle(session, service, message)
                if follows is not None:
                    session.execute(TO_SEND, {"service": follows[0], "body": json.dumps(follows[1])})
            session.commit()
        channel.basic_ack(method.delivery_tag)


def relay(servers: Servers, service: str) -> None:
    """Publish what is in the outbox, in the order in which it was written."""
    channel, connection, never = servers.channel(), psycopg2.connect(servers.dsn(service)), Event()
    while True:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT number, service, body FROM outbox ORDER BY number LIMIT %s FOR UPDATE SKIP LOCKED", (AT_ONCE,)
            )
            found = cursor.fetchall()
            for _number, receiver, body in found:
                publish(channel, receiver, body.encode())
            if found:
                cursor.execute("DELETE FROM outbox WHERE number = ANY(%s)", ([number for number, _, _ in found],))
        if not found:
            channel.connection.process_data_events(0)
            never.wait(LOOK_EVERY)


if __name__ == "__main__":
    player = SagaPlayer([work, relay], TABLES)
    player.versions["SQLAlchemy"] = version("sqlalchemy")
    converse(player)
