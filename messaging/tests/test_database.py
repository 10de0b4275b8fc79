"""The database edge: whose time it is, who waits for whom, and what is said about a URL that is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select, text
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from messaging.database import BadDatabaseUrl, Database, check_url
from messaging.database_errors import all_said_by, said_by
from messaging.sqlite_engine import SqliteSync

metadata = MetaData()
things = Table(
    "things_of_the_database_test",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("seen", Integer, nullable=False),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/things.db" if request.param == "sqlite" else os.environ["CLERK_TEST_DATABASE_URL"]
    database = Database(url, clock=lambda: 42)
    metadata.create_all(database.engine)
    yield database
    metadata.drop_all(database.engine)
    database.close()


def rows(database: Database) -> dict[str, int]:
    with database.read() as tx:
        return {row.name: row.number for row in tx.execute(select(things.c.name, things.c.count.label("number")))}


def test_T4_the_time_is_the_databases_and_embedded_the_processs(database: Database) -> None:
    with database.begin() as tx:
        if database.dialect == "sqlite":
            assert tx.now() == tx.lock(["a"]) == 42
        else:
            theirs = tx.connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp()) * 1000").scalar_one()
            assert abs(tx.now() - float(theirs)) < 60_000, "not this process's clock, which says 42"
            assert tx.lock(["a", "b"]) >= 1_700_000_000_000


@pytest.mark.parametrize(("sync", "pragma"), [("full", 2), ("normal", 1)])
def test_on_sqlite_a_commit_waits_for_the_disk_unless_told_not_to(
    tmp_path: Path, sync: SqliteSync, pragma: int
) -> None:
    url = f"sqlite:///{tmp_path}/things.db"
    for database in [Database(url, sync=sync), *([Database(url)] if sync == "full" else [])]:
        with database.begin() as tx:
            assert tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == pragma
        database.close()


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    def raises_inside() -> None:
        with database.begin() as tx:
            tx.insert(things, [{"name": "a", "count": 1, "seen": 0}])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raises_inside()
    assert rows(database) == {}


def test_all_reads_of_one_moment_see_one_picture_and_one_time(database: Database) -> None:
    with database.one_moment():
        with database.read() as tx:
            now = tx.now()
        assert rows(database) == {}
        writer = Thread(target=adds_one, args=(database,))
        writer.start()
        writer.join()
        with database.one_moment(), database.read() as tx:
            assert tx.now() == now
        assert rows(database) == {}
    assert rows(database) == {"a": 1}


def test_many_rows_are_one_statement_inserted_or_set_anew(database: Database) -> None:
    with database.begin() as tx:
        assert tx.upsert(things, [{"name": f"t{n}", "count": n, "seen": 0} for n in range(50)], ["name"]) == 50
    before = database.statements
    with database.begin() as tx:
        tx.upsert(things, [{"name": f"t{n}", "count": 100 + n, "seen": 0} for n in range(40, 60)], ["name"])
    assert database.statements - before <= 2  # SQLite says BEGIN besides
    assert rows(database)["t3"] == 3
    assert rows(database)["t45"] == 145
    assert len(rows(database)) == 60


def test_T3_a_compare_and_set_writes_only_what_nobody_has_changed(database: Database) -> None:
    with database.begin() as tx:
        tx.insert(things, [{"name": "a", "count": 1, "seen": 0}, {"name": "b", "count": 5, "seen": 0}])
    condition = "things_of_the_database_test.count = excluded.seen"
    with database.begin() as tx:
        changed = [{"name": "a", "count": 2, "seen": 1}, {"name": "b", "count": 6, "seen": 4}]
        assert tx.upsert(things, changed, ["name"], only_if=condition) == 1
    assert rows(database) == {"a": 2, "b": 5}


def test_a_key_that_is_there_already_is_an_error_or_left_alone_as_asked(database: Database) -> None:
    row = {"name": "a", "count": 1, "seen": 0}
    with database.begin() as tx:
        assert tx.insert_new(things, [row], ["name"]) == 1
        assert tx.insert_new(things, [{**row, "count": 2}], ["name"]) == 0
    with pytest.raises(IntegrityError), database.begin() as tx:
        tx.insert(things, [row])
    assert rows(database) == {"a": 1}


def test_whoever_asks_for_the_same_key_waits_for_the_end_of_the_transaction(database: Database) -> None:
    order: list[str] = []
    inside, go_on = Event(), Event()

    def first() -> None:
        with database.begin() as tx:
            tx.lock(["x", "y"])
            inside.set()
            go_on.wait(10)
            order.append("first")

    def second() -> None:
        inside.wait(10)
        with database.begin() as tx:
            tx.lock(["y", "z"])
            order.append("second")

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


@pytest.mark.database
def test_T4_the_time_is_taken_when_the_lock_is_had_not_before_it_is_waited_for(postgres: Database) -> None:
    other = Database(postgres.url)
    moments: list[int] = []

    def second() -> None:
        with other.begin() as tx:
            moments.append(tx.lock(["x"]))

    hand = Thread(target=second)
    with postgres.begin() as tx:
        tx.lock(["x"])
        hand.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while tx.execute(waiting).scalar_one() == 0:
            pass
        released = tx.lock(())
    hand.join(10)
    other.close()
    assert moments[0] >= released


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d"])
def test_a_url_of_another_kind_is_one_clear_line_without_the_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="allowed are") as error:
        check_url(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_postgresql_url_names_our_driver(scheme: str) -> None:
    assert check_url(f"{scheme}://u@h/d").startswith("postgresql+psycopg2://u@h/d")


@pytest.fixture
def postgres() -> Iterator[Database]:
    """Of a pool of one: what is done to its connection, the next transaction meets."""
    database = Database(os.environ["CLERK_TEST_DATABASE_URL"], pool=1)
    metadata.create_all(database.engine)
    yield database
    metadata.drop_all(database.engine)
    database.close()


@pytest.mark.database
def test_a_database_that_only_reads_is_database_trouble_and_its_connection_is_given_up(postgres: Database) -> None:
    # Given an address that leads to a replica, as after a fail-over
    with postgres.engine.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    # Then a write fails as it does without a database, not as a bug of ours would
    with pytest.raises(OperationalError) as caught:
        adds_one(postgres)
    assert caught.value.connection_invalidated
    # And the next one goes wherever the address leads by then
    adds_one(postgres)
    assert rows(postgres) == {"a": 1}


@pytest.mark.database
def test_writing_where_we_said_that_we_only_read_stays_a_bug_of_ours(postgres: Database) -> None:
    with postgres.read() as tx, pytest.raises(InternalError):
        tx.insert(things, [{"name": "a", "count": 1, "seen": 0}])


def adds_one(database: Database) -> None:
    with database.begin() as tx:
        tx.insert(things, [{"name": "a", "count": 1, "seen": 0}])


@pytest.mark.parametrize(
    ("error", "line", "everything"),
    [
        (OperationalError("SELECT 1", {}, Exception("no route\n\tRunning?\n")), "no route", "no route\n\tRunning?"),
        (PoolTimeout("the pool is empty"), "the pool is empty", "the pool is empty"),
        (OperationalError("SELECT 1", {}, Exception()), "OperationalError", "OperationalError"),
    ],
)  # fmt: skip
def test_what_the_database_said_is_told_without_the_statement(error: Exception, line: str, everything: str) -> None:
    assert (said_by(error), all_said_by(error)) == (line, everything)
