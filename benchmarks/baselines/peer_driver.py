"""What the peers have in common: one database for the business, and how their orders are opened and waited for.

A peer runs with its own Python, so this imports nothing but psycopg2.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from threading import Event, local
from time import time
from typing import Any

import psycopg2

from benchmarks.baselines.business import SAGAS, STEPS, TABLES, Document, Execute, do_step, new_document

LOOK_EVERY, ENDED_WITHIN = 0.05, 600.0
BROKER, WORKERS = os.environ["BENCH_BROKER"], int(os.environ["BENCH_WORKERS"])
BUSINESS = os.environ["BENCH_DATABASE"].format(service="shop")
SYSTEM = os.environ["BENCH_DATABASE"].format(service="shop_manager")
FIRST, LAST = STEPS[0][0], STEPS[-1][0]
_never = Event()
_thread_local = local()


def milliseconds() -> int:
    return int(time() * 1000)


def versions_of(*packages: str) -> dict[str, str]:
    return {package: version(package) for package in packages}


def make_tables() -> None:
    with psycopg2.connect(BUSINESS) as connection, connection.cursor() as cursor:
        for statement in (*(each for its in TABLES.values() for each in its), *SAGAS):
            cursor.execute(statement)
    connection.close()


def connection() -> Any:
    """One for each thread, kept open."""
    if not hasattr(_thread_local, "connection"):
        _thread_local.connection = psycopg2.connect(BUSINESS)
    return _thread_local.connection


def executing(cursor: Any) -> Execute:
    def execute(statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    return execute


def do_business(execute: Execute, step: str, document: Document) -> Document:
    """One step, and the order's own row, which everything that shows orders to people reads."""
    document, now = do_step(execute, step, document, milliseconds()), milliseconds()
    order = document["clerk"]["id"]
    if step == FIRST:
        opened = {"id": order, "document": json.dumps(document), "at": document["clerk"]["created_at"]}
        execute("INSERT INTO sagas VALUES (%(id)s, 'processing', 'shopping', %(document)s, %(at)s)", opened)
    if step == LAST:
        ended = {"id": order, "document": json.dumps(document), "at": now}
        execute(
            "UPDATE sagas SET status = 'completed', document = %(document)s, ended_at = %(at)s WHERE id = %(id)s", ended
        )
    return document


def in_one_transaction(step: str, document: Document) -> Document:
    """The same, in a transaction of its own."""
    with connection() as transaction, transaction.cursor() as cursor:
        return do_business(executing(cursor), step, document)


def opened_order(number: str) -> Document:
    return new_document(f"clk_{number}", milliseconds())


def wait_until_ended(count: int, look: Callable[[], None] = lambda: None) -> None:
    """Until that many orders have ended in all; RuntimeError when that takes too long."""
    end = time() + ENDED_WITHIN
    while ended() < count:
        look()
        if time() > end:
            raise RuntimeError(f"orders are still under way after {ENDED_WITHIN:.0f} s")
        _never.wait(LOOK_EVERY)


def ended() -> int:
    with connection() as transaction, transaction.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sagas WHERE ended_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def seconds_of(order: str) -> float:
    """From opened to ended; waits for it."""
    end = time() + ENDED_WITHIN
    while time() < end:
        with connection() as transaction, transaction.cursor() as cursor:
            cursor.execute("SELECT ended_at - opened_at FROM sagas WHERE id = %s", (order,))
            found = cursor.fetchone()
        if found is not None and found[0] is not None:
            return float(found[0]) / 1000
        _never.wait(0.005)
    raise RuntimeError(f"{order} is still under way after {ENDED_WITHIN:.0f} s")
