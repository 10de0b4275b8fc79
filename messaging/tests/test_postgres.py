"""PostgreSQL's connections: what travels together, and what becomes of one that the server has ended."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select, text
from sqlalchemy.exc import IntegrityError

from messaging.database import Database, Tx
from messaging.postgres import driver_connection
from messaging.statements import KEYS
from messaging.tests.brokers import eventually
from messaging.tests.databases import given_postgres

metadata = MetaData()
notes = Table("notes_that_travel", metadata, Column("id", Integer, primary_key=True))
pytestmark = pytest.mark.database


@pytest.fixture
def postgres() -> Iterator[Database]:
    with given_postgres(metadata) as database:
        yield database


def add(tx: Tx, *ids: int) -> None:
    tx.insert(notes, [{"id": each} for each in ids])


def add_one_by_one(tx: Tx, *ids: int) -> None:
    for each in ids:
        add(tx, each)


def add_and_raise(tx: Tx) -> None:
    add(tx, 1)
    raise ZeroDivisionError


def count(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(notes)).scalar_one())


def test_writes_travel_with_the_commit_and_nothing_at_all_costs_no_round_trip(postgres: Database) -> None:
    before = postgres.statements
    with postgres.begin() as tx:
        add_one_by_one(tx, *range(5))
    assert postgres.statements - before == 1
    assert count(postgres) == 5
    before = postgres.statements
    with postgres.begin():
        pass
    assert postgres.statements == before


def test_what_is_asked_sees_what_was_written_before_it(postgres: Database) -> None:
    with postgres.begin() as tx:
        add(tx, 1, 2)
        assert tx.execute(select(func.count()).select_from(notes)).scalar_one() == 2
        add(tx, 3)
    assert count(postgres) == 3


def test_a_write_that_fails_at_the_commit_is_told_and_nothing_of_its_transaction_stays(postgres: Database) -> None:
    with postgres.begin() as tx:
        add(tx, 1)
    with pytest.raises(IntegrityError), postgres.begin() as tx:
        add_one_by_one(tx, 2, 1, 3)
    assert count(postgres) == 1


def test_what_a_block_that_raises_has_kept_back_reaches_no_later_transaction(postgres: Database) -> None:
    with pytest.raises(ZeroDivisionError), postgres.begin() as tx:
        add_and_raise(tx)
    with postgres.begin() as tx:
        add(tx, 2)
    assert count(postgres) == 1


def test_a_connection_that_the_server_has_ended_meanwhile_is_replaced_without_an_error(postgres: Database) -> None:
    with postgres.read() as tx:
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with postgres.engine.connect() as ended, postgres.begin() as tx:
        assert ended.execute(text("SELECT pg_backend_pid()")).scalar_one() == pid
        ended.rollback()
        tx.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
        assert not driver_connection(ended).is_alive
    with postgres.begin() as tx:
        add(tx, 1)
    with postgres.begin() as first, postgres.begin() as second:
        add(first, 2)
        add(second, 3)
    assert count(postgres) == 3


def test_a_look_is_one_round_trip_and_leaves_no_transaction_open(postgres: Database) -> None:
    before = postgres.statements
    with postgres.look() as tx:
        assert tx.execute(select(func.count()).select_from(notes)).scalar_one() == 0
        assert not driver_connection(tx.connection)._has_begun
    with postgres.begin() as tx:
        tx.delete(notes.c.id, [1, 2])
    assert postgres.statements - before == 2


WANTED = select(notes.c.id).where(notes.c.id.in_(KEYS))
WAITERS = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def test_who_has_waited_for_a_lock_reads_what_was_committed_meanwhile(postgres: Database) -> None:
    found: list[int] = []

    def second() -> None:
        with postgres.begin() as tx:
            found.extend(row.id for row in tx.lock_and_read(["note"], WANTED, {"keys": [1]})[1])

    waiting = Thread(target=second)
    with postgres.begin() as tx:
        tx.lock(["note"])
        waiting.start()
        eventually(lambda: tx.execute(WAITERS).scalar_one(), "the second one waits for the lock")
        add(tx, 1)
    waiting.join(30)
    assert found == [1]


def test_locks_and_what_is_read_first_are_one_round_trip(postgres: Database) -> None:
    before = postgres.statements
    with postgres.begin() as tx:
        tx.lock_and_read(["note"], WANTED, {"keys": [1]})
    assert postgres.statements - before == 1
