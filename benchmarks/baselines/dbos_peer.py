"""DBOS: a workflow of seven transactional steps, 16 at once: `python -m benchmarks.baselines.dbos_peer`.

Each step is a transaction of its datasource: business and the step's result are committed together.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any
from uuid import uuid4

from dbos import DBOS, DBOSConfig, SQLAlchemyDatasource

from benchmarks.baselines.business import STEPS, Document
from benchmarks.baselines.conversation import converse
from benchmarks.baselines.peer_driver import (
    BUSINESS,
    SYSTEM,
    WORKERS,
    do_business,
    ended,
    make_tables,
    opened_order,
    versions_of,
)

AT_ONCE = 16
_here: dict[str, Any] = {}


def step(name: str, document: Document) -> Document:
    session = _here["source"].sql_session()

    def execute(statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        result = session.connection().exec_driver_sql(statement, dict(values))
        return list(result.all()) if result.returns_rows else []

    return do_business(execute, name, document)


def order(document: Document) -> None:
    for name, _service in STEPS:
        document = _here["source"].run_tx_step(
            {"name": name, "isolation_level": "READ COMMITTED"}, step, name, document
        )


def launch() -> None:
    """In each worker process."""
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": SYSTEM,
        "executor_id": f"worker-{os.getpid()}",
        "application_version": "1",
        "log_level": "ERROR",
        "sys_db_pool_size": AT_ONCE,
    }
    DBOS(config=config)
    _here["source"] = SQLAlchemyDatasource.create(BUSINESS, engine_kwargs={"pool_size": AT_ONCE})
    _here["order"] = DBOS.workflow()(order)
    DBOS.launch()
    _here["pool"] = ThreadPoolExecutor(max(1, AT_ONCE // WORKERS))


def play(count: int) -> float:
    """Play that many orders, as many at once as this process has threads; the seconds it took."""
    began = monotonic()
    list(_here["pool"].map(lambda _number: _here["order"](opened_order(uuid4().hex)), range(count)))
    return monotonic() - began


class DbosPlayer:
    """Orders are opened where they are played: there is nothing to let go before."""

    def __init__(self) -> None:
        self.versions = versions_of("dbos", "sqlalchemy", "psycopg")
        make_tables()
        self._processes = multiprocessing.get_context("fork").Pool(WORKERS, launch)
        self._wanted, self._all = 0, 0

    def hold(self) -> None:
        return

    def open(self, orders: int) -> None:
        self._wanted = orders
        self._all += orders

    def let_go(self) -> None:
        shares = [self._wanted // WORKERS + (number < self._wanted % WORKERS) for number in range(WORKERS)]
        self._processes.map(play, shares, chunksize=1)

    def wait(self) -> None:
        if ended() != self._all:
            raise RuntimeError(f"{ended()} orders have ended, and {self._all} were opened")

    def one(self) -> float:
        self._all += 1
        return float(self._processes.apply(play, (1,)))


if __name__ == "__main__":
    converse(DbosPlayer())
