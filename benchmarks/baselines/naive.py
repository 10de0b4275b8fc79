"""What a good developer writes first: `python -m benchmarks.baselines.naive`.

One message at a time: read, do the business in one SQLAlchemy session, commit, publish with confirm, acknowledge.
No inbox: a message that comes twice is done twice. No outbox: between commit and publish a crash loses the answer,
unless the message comes again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

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
from benchmarks.baselines.business import Execute, do_step, next_step
from benchmarks.baselines.conversation import converse


class Model(DeclarativeBase):
    """The orchestrator's tables."""


class Saga(Model):
    """One order, and how far it is."""

    __tablename__ = "sagas"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    step: Mapped[str | None]
    document: Mapped[str]
    opened_at: Mapped[int]
    ended_at: Mapped[int | None]


def executing(session: Session) -> Execute:
    """Statements in the transaction of the session."""

    def execute(statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        result = session.connection().exec_driver_sql(statement, dict(values))
        return result.all() if result.returns_rows else []

    return execute


def handle(session: Session, service: str, message: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Do what a message wants; returns the message that follows and to whom it goes."""
    if service != ORCHESTRATOR:
        document = do_step(executing(session), message["step"], message["document"], milliseconds())
        answer = {**message, "id": f"{message['order']}/{message['step']}/reply", "document": document}
        return ORCHESTRATOR, answer
    saga = session.get_one(Saga, message["order"])
    saga.document, saga.step = json.dumps(message["document"]), next_step(message["step"])
    if saga.step is None:
        saga.status, saga.ended_at = "completed", milliseconds()
        return None
    return SERVICE_OF[saga.step], command(message["order"], saga.step, message["document"])


def work(servers: Servers, service: str) -> None:
    engine = create_engine(servers.dsn(service).replace("postgresql:", "postgresql+psycopg2:", 1), pool_size=1)
    channel = servers.channel()
    channel.basic_qos(prefetch_count=1)
    for method, _properties, body in channel.consume(queue_of(service)):
        with Session(engine) as session:
            follows = handle(session, service, json.loads(body))
            session.commit()
        if follows is not None:
            publish(channel, *follows)
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    player = SagaPlayer([work])
    player.versions["SQLAlchemy"] = version("sqlalchemy")
    converse(player)
