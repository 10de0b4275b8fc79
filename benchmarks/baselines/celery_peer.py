"""A Celery chain of seven tasks over durable quorum queues: `python -m benchmarks.baselines.celery_peer`.

Tasks are acknowledged after they are done, publishing waits for confirms, one message is prefetched; no result backend.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from celery import Celery, chain

from benchmarks.baselines.business import STEPS, Document
from benchmarks.baselines.conversation import converse
from benchmarks.baselines.peer_driver import (
    BROKER,
    WORKERS,
    in_one_transaction,
    make_tables,
    opened_order,
    seconds_of,
    versions_of,
    wait_until_ended,
)
from benchmarks.baselines.processes import Workers

app = Celery("bench", broker=BROKER)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="bench",
    task_default_queue_type="quorum",
    worker_prefetch_multiplier=1,
    worker_detect_quorum_queues=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)


def play(document: Document, step: str) -> Document:
    return in_one_transaction(step, document)


task: Any = app.task(name="bench.step")(play)


def work(number: int) -> None:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    app.worker_main(["worker", "--pool=solo", "-n", f"worker-{number}@bench", *quiet])


class CeleryPlayer:
    """Orders are opened by publishing the chain's first task."""

    def __init__(self) -> None:
        self.versions = versions_of("celery", "kombu", "amqp", "psycopg2-binary")
        make_tables()
        self._workers = Workers()
        for number in range(WORKERS):
            self._workers.start(lambda number=number: work(number))  # type: ignore[misc]
        self.hold, self.let_go = self._workers.hold, self._workers.let_go
        self._all = 0

    def open(self, orders: int) -> None:
        for _ in range(orders):
            self._open()

    def wait(self) -> None:
        wait_until_ended(self._all, self._workers.require_all)

    def one(self) -> float:
        return seconds_of(self._open())

    def _open(self) -> str:
        document = opened_order(uuid4().hex)
        first, *others = [name for name, _ in STEPS]
        chain(task.s(document, first), *(task.s(name) for name in others)).apply_async()
        self._all += 1
        return str(document["clerk"]["id"])


if __name__ == "__main__":
    converse(CeleryPlayer())
