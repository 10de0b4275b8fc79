"""A PostgreSQL that restarts, ends connections, is slow, locked, full, or gives up a transaction to end a deadlock.

What was begun is rolled back and comes again; doors say 503 and never 500 (the crowd looks at every answer).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg2 import sql
from sqlalchemy import Connection, text

from scenario_tests.faults.ground import Ground
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.servers.postgres import PostgresCluster, session
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import lasts, until

SEEN_LIMIT = 30.0
LASTS = 4.0
SHORTLY, TOO_LONG = 4.0, 13.0
"""Seconds that a table is locked: less and more than a statement waits (messaging/database.py, LOCK_LIMIT_MS)."""
DELAY = 0.05
PLAYED_IN = 10.0
_FULL = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend "
_FULL += "file: no space left on device' USING ERRCODE = 'disk_full'; END $$"


def _restarted(what: str, ends: Callable[[PostgresCluster], None]) -> Callable[[Blow], None]:
    def strikes(blow: Blow) -> None:
        ground = blow.ground
        blow.finds_work()
        blow.hit |= blow.in_flight()
        ends(ground.postgres)
        until(lambda: _without_database(ground) == len(SERVICES), "all five notice it", SEEN_LIMIT)
        ground.postgres.start()
        blow.lands(f"PostgreSQL {what}: five processes not ready")
        ground.all_ready()

    return strikes


def _without_database(ground: Ground) -> int:
    checks = [ground.checks(service).get("database") for service in SERVICES]
    return sum(1 for check in checks if check is not None and not check["ok"])


def _one_backend_killed(blow: Blow, service: str) -> None:
    """`kill -9` of one: PostgreSQL then ends all the others, and recovers from its log."""
    blow.finds_work()
    blow.hit |= blow.in_flight()
    before = _log(blow.ground).count("reinitializing")
    os.kill(blow.ground.backends(service)[0], signal.SIGKILL)
    until(lambda: _log(blow.ground).count("reinitializing") > before, "PostgreSQL recovers", SEEN_LIMIT)
    blow.ground.all_ready()
    blow.lands(f"one backend of {service} killed, all ended, recovered from the log")


def _log(ground: Ground) -> str:
    return (ground.postgres.folder / "postgres.log").read_text(errors="replace")


def _connections_ended(most: int | None) -> Callable[[Blow, str], None]:
    def strikes(blow: Blow, service: str) -> None:
        blow.finds_work()
        ended = blow.ground.end_backends(service, most)
        assert ended, f"{service} had no connection"
        blow.lands(f"{ended} connections of {service} ended by PostgreSQL")

    return strikes


def _slow(blow: Blow) -> None:
    roads = blow.ground.all_roads("database")
    blow.finds_work()
    before = sum(road.late for road in roads)
    for road in roads:
        road.slow(DELAY)
    lasts(LASTS)
    blow.lands(f"{sum(road.late for road in roads) - before} bytes were {DELAY:g} s late")
    blow.ground.heal()


def _locked(table: str, seconds: float) -> Callable[[Blow, str], None]:
    def strikes(blow: Blow, service: str) -> None:
        blow.finds_work()
        blow.hit |= blow.in_flight()
        with _connection(blow.ground, service) as ours, _connection(blow.ground, service) as looks:
            ours.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            until(lambda: _waiting(looks, table) > 0, f"somebody waits for {table}", SEEN_LIMIT)
            lasts(seconds)
            waited = _waiting(looks, table)
        blow.lands(f"{table} of {service} locked for {seconds:g} s, {waited} transactions waited")

    return strikes


@contextmanager
def _connection(ground: Ground, service: str) -> Iterator[Connection]:
    """One of our own, past the road; rolled back at the end."""
    with ground.stage.database(service).engine.connect() as connection:
        yield connection


def _waiting(connection: Connection, table: str, holding: str | None = None) -> int:
    """How many backends wait for the table; with `holding` those that have written to that other one."""
    found = "SELECT count(DISTINCT w.pid) FROM pg_locks AS w WHERE NOT w.granted AND w.relation = to_regclass(:table)"
    if holding is not None:
        found += " AND EXISTS (SELECT 1 FROM pg_locks AS h WHERE h.pid = w.pid AND h.granted"
        found += " AND h.mode = 'RowExclusiveLock' AND h.relation = to_regclass(:holding))"
    wanted = {"table": table} | ({} if holding is None else {"holding": holding})
    return int(connection.execute(text(found), wanted).scalar_one())


def _deadlock(first: str, then: str) -> Callable[[Blow, str], None]:
    """Somebody has written `first` and waits for `then`, which we hold and ask for the other: it is given up."""

    def strikes(blow: Blow, service: str) -> None:
        blow.finds_work()
        blow.hit |= blow.in_flight()
        before = _log(blow.ground).count("deadlock detected")
        with _connection(blow.ground, service) as ours, _connection(blow.ground, service) as looks:
            ours.execute(text("SET LOCAL deadlock_timeout = '1min'"))  # the other one is to look, and to be given up
            ours.execute(text("SET LOCAL lock_timeout = '8s'"))
            ours.execute(text(f"LOCK TABLE {then} IN ACCESS EXCLUSIVE MODE"))
            until(lambda: _waiting(looks, then, first) > 0, f"somebody wrote {first}, wants {then}", SEEN_LIMIT)
            ours.execute(text(f"LOCK TABLE {first} IN ACCESS EXCLUSIVE MODE"))
        until(lambda: _log(blow.ground).count("deadlock detected") > before, "a deadlock is found", SEEN_LIMIT)
        blow.lands(f"PostgreSQL gave up a transaction of {service} that was in a deadlock with ours")

    return strikes


def _full_disk(blow: Blow, service: str) -> None:
    """A stand-in: every insert and update fails as it does on a full disk, with PostgreSQL's code for that."""
    blow.finds_work()
    blow.hit |= blow.in_flight()
    before = _log(blow.ground).count("no space left on device")
    tables = _tables(blow.ground, service)
    _run(blow.ground, service, [_FULL, *(_on_each(tables, "CREATE"))])
    try:
        until(lambda: _log(blow.ground).count("no space left on device") > before, "a write fails", SEEN_LIMIT)
        lasts(LASTS)
    finally:
        _run(blow.ground, service, [*_on_each(tables, "DROP"), "DROP FUNCTION full_disk"])
    failed = _log(blow.ground).count("no space left on device") - before
    blow.lands(f"{failed} writes of {service} failed for want of disk (stand-in: triggers)")


def _on_each(tables: list[str], act: str) -> list[str]:
    event = "BEFORE INSERT OR UPDATE ON" if act == "CREATE" else "ON"
    does = " EXECUTE FUNCTION full_disk()" if act == "CREATE" else ""
    return [f"{act} TRIGGER full_disk {event} {table}{does}" for table in tables]


def _tables(ground: Ground, service: str) -> list[str]:
    with ground.stage.database(service).read() as tx:
        found = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"))
        return [str(row[0]) for row in found]


def _run(ground: Ground, service: str, statements: list[str]) -> None:
    """Each for itself: all at once would be a deadlock with who writes two of the tables."""
    for statement in statements:
        with ground.stage.database(service).begin() as tx:
            tx.execute(text(statement))


def _read_only(blow: Blow, service: str) -> None:
    """As behind a fail-over that has led everybody to the replica."""
    name = blow.ground.stage.database(service).engine.url.database
    blow.finds_work()
    blow.hit |= blow.in_flight()
    before = _log(blow.ground).count("read-only transaction")
    _alter(blow.ground, name, "SET default_transaction_read_only = on")
    try:
        blow.ground.end_backends(service)
        until(lambda: _log(blow.ground).count("read-only transaction") > before, "a write fails", SEEN_LIMIT)
        lasts(LASTS)
    finally:
        _alter(blow.ground, name, "RESET default_transaction_read_only")
        blow.ground.end_backends(service)
        blow.ground.stage.database(service).engine.dispose()  # the tests' own connections too
    failed = _log(blow.ground).count("read-only transaction") - before
    blow.lands(f"{failed} writes of {service} failed because its database was read-only")


def _alter(ground: Ground, database: Any, how: str) -> None:
    with session(ground.postgres.admin_url) as cursor:
        cursor.execute(sql.SQL("ALTER DATABASE {} {}").format(sql.Identifier(database), sql.SQL(how)))


def _of(fault: Callable[[Blow, str], None], service: str) -> Callable[[Blow], None]:
    return lambda blow: fault(blow, service)


def _harms() -> Iterator[Harm]:
    row = "database"
    yield Harm(row, "PostgreSQL is restarted", _restarted("stopped", PostgresCluster.stop), PLAYED_IN)
    yield Harm(row, "PostgreSQL is ended at once", _restarted("ended at once", PostgresCluster.kill), PLAYED_IN)
    yield Harm(row, "a backend of payment is killed", _of(_one_backend_killed, "payment"), PLAYED_IN)
    yield Harm(row, "PostgreSQL is slow", _slow, PLAYED_IN)
    for service in SERVICES:
        yield Harm(row, f"one connection of {service} is ended", _of(_connections_ended(1), service))
        yield Harm(row, f"all connections of {service} are ended", _of(_connections_ended(None), service))
    for service, table in (("shop_manager", "clerks"), ("shop_manager", "outbox"), ("risk", "turns")):
        for words, seconds in (("for a while", SHORTLY), ("for too long", TOO_LONG)):
            name = f"{table} of {service} is locked {words}"
            yield Harm(row, name, _of(_locked(table, seconds), service), PLAYED_IN + seconds)
    for service, first in (("shop_manager", "clerks"), ("payment", "turns")):
        yield Harm(row, f"a deadlock in {service}", _of(_deadlock(first, "outbox"), service), PLAYED_IN + 3.0)
    for service in ("shop_manager", "fulfillment"):
        yield Harm(row, f"the disk of {service} is full", _of(_full_disk, service), PLAYED_IN + LASTS)
        yield Harm(row, f"the database of {service} is read-only", _of(_read_only, service), PLAYED_IN + LASTS)


HARMS = tuple(_harms())
