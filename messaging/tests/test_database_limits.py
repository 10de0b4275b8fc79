"""Somebody who is waited for gives up early when a database hangs; workers do not."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from messaging import database as databases
from messaging import sqlite_engine
from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS, said_by
from messaging.database_limits import Places, hurries, in_a_hurry
from messaging.tests.databases import given_postgres
from messaging.tests.hung_server import LIMIT, HungServer

metadata = MetaData()
things = Table("limited_things", metadata, Column("id", Integer, primary_key=True))
SOON = 0.3
LONG = 10 * LIMIT


class Inside:
    """Takes a place in a thread of its own, and leaves it when told to."""

    def __init__(self, threads: ThreadPoolExecutor, places: Places, within: float | None) -> None:
        self.is_in, self.leave = Event(), Event()
        self._places, self._within = places, within
        self.done: Future[None] = threads.submit(self._stay)

    def _stay(self) -> None:
        with self._places.taken(self._within):
            self.is_in.set()
            assert self.leave.wait(LIMIT)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def takes(places: Places, within: float | None = LONG) -> None:
    with places.taken(within):
        pass


def stuck(threads: ThreadPoolExecutor) -> tuple[Places, Inside]:
    """One place, taken by somebody who gets no answer, after one waited for it in vain."""
    places = Places(1)
    first = Inside(threads, places, None)
    assert first.is_in.wait(LIMIT)
    with pytest.raises(PoolTimeout):
        takes(places, SOON)
    return places, first


def test_whoever_finds_no_place_waits_for_one(threads: ThreadPoolExecutor) -> None:
    places = Places(2)
    inside = [Inside(threads, places, LONG) for _ in range(2)]
    assert all(each.is_in.wait(LIMIT) for each in inside)
    waiting = [Inside(threads, places, within) for within in (LONG, None)]
    inside[0].leave.set()
    inside[1].leave.set()
    assert all(each.is_in.wait(LIMIT) for each in waiting)
    for each in waiting:
        each.leave.set()


def test_S4_after_one_who_waited_in_vain_nobody_waits(threads: ThreadPoolExecutor) -> None:
    places, first = stuck(threads)
    begun = monotonic()
    with pytest.raises(PoolTimeout):
        takes(places)
    assert monotonic() - begun < LIMIT
    first.leave.set()
    first.done.result(LIMIT)
    takes(places)


def test_S4_one_who_leaves_with_a_database_error_is_no_sign_that_it_is_well_again(threads: ThreadPoolExecutor) -> None:
    places, first = stuck(threads)
    first.leave.set()
    first.done.result(LIMIT)
    second = Inside(threads, places, None)
    assert second.is_in.wait(LIMIT)
    with pytest.raises(PoolTimeout):
        takes(places, SOON)
    second.leave.set()
    second.done.result(LIMIT)
    with pytest.raises(OperationalError), places.taken(LONG):
        raise OperationalError("SELECT 1", {}, Exception("no answer"))
    takes(places)


def test_a_worker_waits_for_its_place_even_when_requests_do_not(threads: ThreadPoolExecutor) -> None:
    places, first = stuck(threads)
    worker = threads.submit(takes, places, None)
    assert not worker.done()
    first.leave.set()
    worker.result(LIMIT)


def test_a_hurry_goes_along_into_threads_with_their_context(threads: ThreadPoolExecutor) -> None:
    with in_a_hurry():
        assert hurries()
        assert threads.submit(copy_context().run, hurries).result(LIMIT)
    assert not hurries()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def test_a_server_that_never_answers_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PING_WITHIN", SOON)
    with HungServer() as server:
        database = Database(server.url)
        with pytest.raises(OperationalError) as gone:
            database.ping()
        assert re.fullmatch(
            r'connection to server at "127.0.0.1", port \d+ failed: the database does not answer', said_by(gone.value)
        )
        database.close()


def test_S4_a_request_gives_up_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "ANSWER_WITHIN", SOON)
    with HungServer() as server:
        database = Database(server.url)
        for transaction in (database.begin, database.read):
            with pytest.raises(OperationalError), in_a_hurry(), transaction() as tx:
                tx.execute(select(1))
        database.close()


@pytest.fixture
def postgres() -> Iterator[Database]:
    with given_postgres(metadata) as database:
        yield database


def backends(database: Database) -> set[int]:
    """The server's processes behind two of our connections, which are kept in the pool."""
    with database.engine.connect() as one, database.engine.connect() as two:
        return {int(each.execute(text("SELECT pg_backend_pid()")).scalar_one()) for each in (one, two)}


@pytest.mark.database
def test_S4_a_request_gives_up_a_statement_and_the_other_connections_stay(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ANSWER_WITHIN", SOON)
    before = backends(postgres)
    with postgres.engine.connect() as held, held.begin():
        held.execute(text("LOCK TABLE limited_things"))
        begun = monotonic()
        with pytest.raises(DATABASE_ERRORS), in_a_hurry(), postgres.read() as tx:
            tx.execute(select(things)).all()
        assert monotonic() - begun < LIMIT
    assert len(before & backends(postgres)) == 1


@pytest.mark.database
def test_a_worker_waits_for_the_same_lock(postgres: Database, threads: ThreadPoolExecutor) -> None:
    def reads() -> list[Any]:
        with postgres.read() as tx:
            return list(tx.execute(select(things)).all())

    with postgres.engine.connect() as held, held.begin():
        held.execute(text("LOCK TABLE limited_things"))
        worker = threads.submit(reads)
        assert not worker.done()
    assert worker.result(LIMIT) == []


@pytest.mark.database
def test_a_request_waits_less_long_for_a_lock(postgres: Database) -> None:
    limits = []
    for hurry in (False, True, False):
        with in_a_hurry() if hurry else nullcontext(), postgres.begin() as tx:
            limits.append(tx.execute(text("SHOW lock_timeout")).scalar())
    assert limits == ["10s", "4s", "10s"]


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/limited.db", pool=2)
    metadata.create_all(database.engine)
    yield database
    database.close()


def writes(database: Database, number: int) -> None:
    with database.begin() as tx:
        tx.insert(things, [{"id": number}])


def test_S4_a_request_gives_up_when_another_process_writes_for_too_long(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_engine, "LOCK_WITHIN_MS", 200)
    other = sqlite3.connect(sqlite.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), in_a_hurry():
        writes(sqlite, 1)
    other.execute("ROLLBACK")
    other.close()
    with in_a_hurry():
        writes(sqlite, 2)


def test_S4_a_request_gives_up_when_another_thread_writes_for_too_long(
    sqlite: Database, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "PLACE_WITHIN", SOON)
    with sqlite.begin():
        waits = threads.submit(writes, sqlite, 1)
        with in_a_hurry():
            request = threads.submit(copy_context().run, writes, sqlite, 2)
        assert isinstance(request.exception(LIMIT), PoolTimeout)
        assert not waits.done(), "a worker waits"
    waits.result(LIMIT)


def test_a_request_with_one_transaction_in_another_needs_one_place(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nested.db", pool=1)
    metadata.create_all(database.engine)
    with in_a_hurry(), database.begin() as outer:
        with database.read() as inner:
            assert inner.execute(select(things)).all() == []
        outer.insert(things, [{"id": 1}])
    database.close()
