"""A PostgreSQL that restarts, ends connections, is slow, locked, full, or gives up a transaction to end a deadlock.

Transactions are rolled back and their messages come again; the HTTP APIs answer 503 and never 500 (the load generator
checks every answer).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg2 import sql
from sqlalchemy import Connection, text

from scenario_tests.faults.environment import Environment
from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.harness import SERVICES
from scenario_tests.servers.postgres import PostgresCluster, session
from scenario_tests.waiting import lasts, until

SEEN_LIMIT = 30.0
LASTS = 4.0
SHORTLY, TOO_LONG = 4.0, 13.0
"""Seconds that a table is locked: less and more than a statement waits (messaging/database.py, LOCK_LIMIT_MS)."""
DELAY = 0.05
PLAYED_IN = 10.0
_FULL = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend "
_FULL += "file: no space left on device' USING ERRCODE = 'disk_full'; END $$"


def _restarted(what: str, ends: Callable[[PostgresCluster], None]) -> Callable[[Injection], None]:
    def inject(injection: Injection) -> None:
        environment = injection.environment
        injection.waits_for_work()
        injection.hit |= injection.in_flight()
        ends(environment.postgres)
        until(lambda: _without_database(environment) == len(SERVICES), "all five notice it", SEEN_LIMIT)
        environment.postgres.start()
        injection.fired(f"PostgreSQL {what}: five processes not ready")
        environment.all_ready()

    return inject


def _without_database(environment: Environment) -> int:
    checks = [environment.checks(service).get("database") for service in SERVICES]
    return sum(1 for check in checks if check is not None and not check["ok"])


def _one_backend_killed(injection: Injection, service: str) -> None:
    """`kill -9` of one: PostgreSQL then ends all the others, and recovers from its log."""
    injection.waits_for_work()
    injection.hit |= injection.in_flight()
    before = _log(injection.environment).count("reinitializing")
    os.kill(injection.environment.backends(service)[0], signal.SIGKILL)
    until(lambda: _log(injection.environment).count("reinitializing") > before, "PostgreSQL recovers", SEEN_LIMIT)
    injection.environment.all_ready()
    injection.fired(f"one backend of {service} killed, all ended, recovered from the log")


def _log(environment: Environment) -> str:
    return (environment.postgres.folder / "postgres.log").read_text(errors="replace")


def _connections_ended(most: int | None) -> Callable[[Injection, str], None]:
    def inject(injection: Injection, service: str) -> None:
        injection.waits_for_work()
        ended = injection.environment.end_backends(service, most)
        assert ended, f"{service} had no connection"
        injection.fired(f"{ended} connections of {service} ended by PostgreSQL")

    return inject


def _slow(injection: Injection) -> None:
    proxies = injection.environment.all_proxies("database")
    injection.waits_for_work()
    before = sum(proxy.late for proxy in proxies)
    for proxy in proxies:
        proxy.slow(DELAY)
    lasts(LASTS)
    injection.fired(f"{sum(proxy.late for proxy in proxies) - before} bytes were {DELAY:g} s late")
    injection.environment.heal()


def _locked(table: str, seconds: float) -> Callable[[Injection, str], None]:
    def inject(injection: Injection, service: str) -> None:
        injection.waits_for_work()
        injection.hit |= injection.in_flight()
        with _connection(injection.environment, service) as ours, _connection(injection.environment, service) as looks:
            ours.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            until(lambda: _waiting(looks, table) > 0, f"somebody waits for {table}", SEEN_LIMIT)
            lasts(seconds)
            waited = _waiting(looks, table)
        injection.fired(f"{table} of {service} locked for {seconds:g} s, {waited} transactions waited")

    return inject


@contextmanager
def _connection(environment: Environment, service: str) -> Iterator[Connection]:
    """A connection of our own, past the proxy; rolled back at the end."""
    with environment.harness.database(service).engine.connect() as connection:
        yield connection


def _waiting(connection: Connection, table: str, holding: str | None = None) -> int:
    """How many backends wait for the table; with `holding` those that have written to that other one."""
    found = "SELECT count(DISTINCT w.pid) FROM pg_locks AS w WHERE NOT w.granted AND w.relation = to_regclass(:table)"
    if holding is not None:
        found += " AND EXISTS (SELECT 1 FROM pg_locks AS h WHERE h.pid = w.pid AND h.granted"
        found += " AND h.mode = 'RowExclusiveLock' AND h.relation = to_regclass(:holding))"
    wanted = {"table": table} | ({} if holding is None else {"holding": holding})
    return int(connection.execute(text(found), wanted).scalar_one())


def _deadlock(first: str, then: str) -> Callable[[Injection, str], None]:
    """A transaction has written `first` and waits for `then`, which we hold while we ask for `first`."""

    def inject(injection: Injection, service: str) -> None:
        injection.waits_for_work()
        injection.hit |= injection.in_flight()
        before = _log(injection.environment).count("deadlock detected")
        with _connection(injection.environment, service) as ours, _connection(injection.environment, service) as looks:
            ours.execute(text("SET LOCAL deadlock_timeout = '1min'"))  # the other one is to look, and to be given up
            ours.execute(text("SET LOCAL lock_timeout = '8s'"))
            ours.execute(text(f"LOCK TABLE {then} IN ACCESS EXCLUSIVE MODE"))
            until(lambda: _waiting(looks, then, first) > 0, f"somebody wrote {first}, wants {then}", SEEN_LIMIT)
            ours.execute(text(f"LOCK TABLE {first} IN ACCESS EXCLUSIVE MODE"))
        until(
            lambda: _log(injection.environment).count("deadlock detected") > before, "a deadlock is found", SEEN_LIMIT
        )
        injection.fired(f"PostgreSQL gave up a transaction of {service} that was in a deadlock with ours")

    return inject


def _full_disk(injection: Injection, service: str) -> None:
    """A stand-in: every insert and update fails as it does on a full disk, with PostgreSQL's code for that."""
    injection.waits_for_work()
    injection.hit |= injection.in_flight()
    before = _log(injection.environment).count("no space left on device")
    tables = _tables(injection.environment, service)
    _run(injection.environment, service, [_FULL, *(_on_each(tables, "CREATE"))])
    try:
        until(
            lambda: _log(injection.environment).count("no space left on device") > before, "a write fails", SEEN_LIMIT
        )
        lasts(LASTS)
    finally:
        _run(injection.environment, service, [*_on_each(tables, "DROP"), "DROP FUNCTION full_disk"])
    failed = _log(injection.environment).count("no space left on device") - before
    injection.fired(f"{failed} writes of {service} failed for want of disk (stand-in: triggers)")


def _on_each(tables: list[str], act: str) -> list[str]:
    event = "BEFORE INSERT OR UPDATE ON" if act == "CREATE" else "ON"
    does = " EXECUTE FUNCTION full_disk()" if act == "CREATE" else ""
    return [f"{act} TRIGGER full_disk {event} {table}{does}" for table in tables]


def _tables(environment: Environment, service: str) -> list[str]:
    with environment.harness.database(service).read() as tx:
        found = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"))
        return [str(row[0]) for row in found]


def _run(environment: Environment, service: str, statements: list[str]) -> None:
    """Each in its own transaction: all in one could deadlock with a service that writes two of the tables."""
    for statement in statements:
        with environment.harness.database(service).begin() as tx:
            tx.execute(text(statement))


def _read_only(injection: Injection, service: str) -> None:
    """As after a fail-over that has led all connections to the replica."""
    name = injection.environment.harness.database(service).engine.url.database
    injection.waits_for_work()
    injection.hit |= injection.in_flight()
    before = _log(injection.environment).count("read-only transaction")
    _alter(injection.environment, name, "SET default_transaction_read_only = on")
    try:
        injection.environment.end_backends(service)
        until(lambda: _log(injection.environment).count("read-only transaction") > before, "a write fails", SEEN_LIMIT)
        lasts(LASTS)
    finally:
        _alter(injection.environment, name, "RESET default_transaction_read_only")
        injection.environment.end_backends(service)
        injection.environment.harness.database(service).engine.dispose()  # the tests' own connections too
    failed = _log(injection.environment).count("read-only transaction") - before
    injection.fired(f"{failed} writes of {service} failed because its database was read-only")


def _alter(environment: Environment, database: Any, how: str) -> None:
    with session(environment.postgres.admin_url) as cursor:
        cursor.execute(sql.SQL("ALTER DATABASE {} {}").format(sql.Identifier(database), sql.SQL(how)))


def _of(fault: Callable[[Injection, str], None], service: str) -> Callable[[Injection], None]:
    return lambda injection: fault(injection, service)


def _faults() -> Iterator[Fault]:
    row = "database"
    yield Fault(row, "PostgreSQL is restarted", _restarted("stopped", PostgresCluster.stop), PLAYED_IN)
    yield Fault(row, "PostgreSQL is ended at once", _restarted("ended at once", PostgresCluster.kill), PLAYED_IN)
    yield Fault(row, "a backend of payment is killed", _of(_one_backend_killed, "payment"), PLAYED_IN)
    yield Fault(row, "PostgreSQL is slow", _slow, PLAYED_IN)
    for service in SERVICES:
        yield Fault(row, f"one connection of {service} is ended", _of(_connections_ended(1), service))
        yield Fault(row, f"all connections of {service} are ended", _of(_connections_ended(None), service))
    for service, table in (("shop_manager", "clerks"), ("shop_manager", "outbox"), ("risk", "turns")):
        for words, seconds in (("for a while", SHORTLY), ("for too long", TOO_LONG)):
            name = f"{table} of {service} is locked {words}"
            yield Fault(row, name, _of(_locked(table, seconds), service), PLAYED_IN + seconds)
    for service, first in (("shop_manager", "clerks"), ("payment", "turns")):
        yield Fault(row, f"a deadlock in {service}", _of(_deadlock(first, "outbox"), service), PLAYED_IN + 3.0)
    for service in ("shop_manager", "fulfillment"):
        yield Fault(row, f"the disk of {service} is full", _of(_full_disk, service), PLAYED_IN + LASTS)
        yield Fault(row, f"the database of {service} is read-only", _of(_read_only, service), PLAYED_IN + LASTS)


FAULTS = tuple(_faults())
