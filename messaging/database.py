"""The database: one engine a service, write transactions that cannot deadlock, and statements for many rows at once.

Where SQLite and PostgreSQL differ, they differ in here (docs/design/architecture.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import local
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Executable,
    Row,
    Select,
    Table,
    event,
    make_url,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import ArgumentError

from messaging.database_limits import (
    ANSWER_WITHIN,
    MOST_PLACES,
    PLACE_WITHIN,
    Places,
    given_up_after,
    hurries,
)
from messaging.database_time import SQLITE_NOW
from messaging.one_moment import Moments
from messaging.postgres import (
    ALONE,
    OVERFLOW,
    READS_ONLY,
    PostgresConnection,
    call_read_only_trouble,
    driver_connection,
    keep_the_others,
    postgres_engine,
    set_lock_limit,
)
from messaging.postgres_arrays import ArrayLiteral, rows_from_arrays
from messaging.server_urls import UnclearAccount, check_account, mask_url
from messaging.sqlite_engine import OVERFLOW as SQLITE_OVERFLOW
from messaging.sqlite_engine import SqliteSync, set_busy_limit, sqlite_engine
from messaging.statements import (
    PG_LOCK,
    PG_LOCK_THEN_NOW,
    PG_NOW,
    deletion,
    insert_into,
    lock_number,
    marks,
    numbering,
    on_conflict,
    update_from,
    with_time,
)

_ALLOWED = "allowed are sqlite:///FILE and postgresql://…"
FEW = 8
"""So many rows are cheaper as arrays, a column each, than as parameters, which PostgreSQL plans one by one."""
PING_WITHIN = 2.0
"""Seconds: a database that does not answer within it is not there."""


class BadDatabaseUrl(ValueError):
    """The URL names no database this product can use; the message is one clear line."""


def check_url(url: str) -> str:
    """The URL as SQLAlchemy should have it; BadDatabaseUrl says what is wrong without showing the password.

    SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3, which is not ours: the driver is named here.
    """
    try:
        check_account(url)
        parsed = make_url(url)
    except UnclearAccount as error:
        raise BadDatabaseUrl(f"database URL: {error}") from None
    except (ArgumentError, ValueError):  # a ValueError quotes what should have been the port
        raise BadDatabaseUrl(f"database URL cannot be read: {_ALLOWED}") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg2"):
        parsed = parsed.set(drivername="postgresql+psycopg2")
    elif parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise BadDatabaseUrl(f"database URL {mask_url(url)!r}: {_ALLOWED}")
    elif parsed.host or parsed.username or parsed.password or parsed.port:
        raise BadDatabaseUrl(f"database URL {mask_url(url)!r}: a file has no host and no user: {_ALLOWED}")
    return parsed.render_as_string(hide_password=False)


class Database:
    """One service's database. `clock` gives the process's time in ms, which only SQLite uses (semantics T4).

    `schema`: where several services share one PostgreSQL database, each has its own schema of this name; while there
    is none, the database is the service's own, and its tables are where they always are. `statements` and `commits`
    count what was sent and committed so far, for the metrics and benchmarks; statements sent in one message count once.
    `requests` are the places of requests; `overflow`: connections beyond those that are kept. `sync` is SQLite's only.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: int = 8,
        clock: Callable[[], int] | None = None,
        schema: str | None = None,
        sync: SqliteSync = "full",
    ) -> None:
        self.url = check_url(url)
        self.schema = schema
        self.pool = pool
        self.clock = clock or (lambda: time.time_ns() // 1_000_000)
        self.dialect = "sqlite" if self.url.startswith("sqlite") else "postgresql"
        sqlite = self.dialect == "sqlite"
        self.engine = sqlite_engine(self.url, sync) if sqlite else postgres_engine(self.url, pool, schema)
        self.overflow = SQLITE_OVERFLOW if sqlite else OVERFLOW
        self.requests = Places(min(pool, MOST_PLACES))
        # SQLite's own waiting is sleeping and trying again; threads of one process had better queue up here.
        self._writers = Places(1 if self.dialect == "sqlite" else 10_000)
        self._inside = local()
        self._moments = Moments(lambda: self._reading(READS_ONLY))
        self.statements = 0
        self.commits = 0
        event.listen(self.engine, "handle_error", call_read_only_trouble, retval=True)
        event.listen(self.engine, "handle_error", keep_the_others)
        event.listen(self.engine, "before_cursor_execute", self._count_statement)
        event.listen(self.engine, "commit", self._count_commit)
        if sqlite:
            event.listen(self.engine, "connect", self._tell_time)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back when it raises."""
        with (
            self._writers.taken(PLACE_WITHIN if hurries() else None),
            self._admitted(),
            self.engine.connect() as connection,
            connection.begin(),
        ):
            if self.dialect == "sqlite":
                set_busy_limit(connection)
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif hurries():
                set_lock_limit(connection)
            tx = Tx(connection, self)
            yield tx
        for act in tx.after_commit:
            act()

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only reads: a consistent picture, no locks held against writers."""
        return self._moments.read()

    def one_moment(self) -> AbstractContextManager[None]:
        """Every `read` of this thread within sees the picture and the time of the first: figures that are shown
        together agree. Nothing is to be written within.
        """
        return self._moments.one()

    @contextmanager
    def look(self) -> Iterator[Tx]:
        """For one statement that reads: it has one picture by itself, and PostgreSQL takes it in one round trip."""
        with self._reading(ALONE) as tx:
            yield tx

    @contextmanager
    def _reading(self, how: str) -> Iterator[Tx]:
        with self._admitted(), self.engine.connect() as connection:
            if self.dialect == "sqlite":
                set_busy_limit(connection)
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(**{how: True})
            yield Tx(connection, self)

    def erase(self, deletion: Executable) -> None:
        """A deletion after which the rows are in no file of SQLite any more; PostgreSQL overwrites them by and by."""
        sqlite = self.dialect == "sqlite"
        with self.begin() as tx:
            if sqlite:
                tx.connection.exec_driver_sql("PRAGMA secure_delete=ON")
            tx.execute(deletion)
        if sqlite:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """A request waits for a place, and only so long for its answers; a second transaction needs no second place."""
        if not hurries() or getattr(self._inside, "admitted", False):
            yield
            return
        with self.requests.taken(PLACE_WITHIN), given_up_after(ANSWER_WITHIN):
            self._inside.admitted = True
            try:
                yield
            finally:
                self._inside.admitted = False

    @property
    def files(self) -> int:
        """How many files its connections may have open at the same time, in a process that answers requests."""
        own = 4  # of its workers and ticks
        return 2 * (self.requests.most + own) + 1 if self.dialect == "sqlite" else self.pool + self.overflow

    def _count_statement(self, *_arguments: object) -> None:
        self.statements += 1

    def _tell_time(self, connection: Any, _record: Any) -> None:
        connection.create_function(SQLITE_NOW, 0, self.clock)

    def _count_commit(self, connection: Connection) -> None:
        self.commits += 1
        if self.dialect == "postgresql" and driver_connection(connection).has_writes:
            self.statements += 1

    def ping(self) -> None:
        """Raises SQLAlchemy's error when the database cannot be reached, or does not answer for PING_WITHIN."""
        with given_up_after(PING_WITHIN), self.engine.connect() as connection:
            connection.execution_options(**{ALONE: True}).exec_driver_sql("SELECT 1")

    def close(self) -> None:
        self.engine.dispose()

    def forget_connections(self) -> None:
        """For a process that was forked: the connections stay those of the first one, and new ones are made here."""
        self.engine.dispose(close=False)


class Tx:
    """One transaction: reads are SQLAlchemy statements, bulk writes one statement whatever the number of rows.

    To PostgreSQL a write whose count is known beforehand travels with the next statement, or with the commit: what is
    wrong with it is raised there, inside the block of the transaction or at its end.
    """

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self.database = database
        self._now: int | None = None
        self.after_commit: list[Callable[[], None]] = []
        """What is done once it has committed; not when it has not, and not when nobody knows."""

    def execute(self, statement: Executable, params: Any = None) -> CursorResult[*tuple[Any, ...]]:
        return self.connection.execute(statement, params)

    def now(self) -> int:
        """The database's time (T4) in ms; for SQLite the process's. One moment a transaction: that of its locks."""
        if self._now is None:
            self._now = self.lock(())
        return self._now

    def lock(self, keys: Iterable[str]) -> int:
        """Nobody else who asks for any of these keys goes on before this transaction ends. Returns the time after.

        The keys are taken in one order everywhere, so two batches cannot wait for each other. SQLite has one writer
        at a time anyway.
        """
        if self.database.dialect == "sqlite":
            self._now = self.database.clock()
            return self._now
        numbers = sorted({lock_number(key) for key in keys})
        if numbers:
            rows = self.connection.exec_driver_sql(PG_LOCK_THEN_NOW, (numbers,))
        else:
            rows = self.connection.exec_driver_sql(f"SELECT {PG_NOW}")
        self._now = int(rows.all()[-1][-1])
        return self._now

    def lock_and_read(
        self, keys: Iterable[str], wanted: Select[Any], values: Mapping[str, Any]
    ) -> tuple[int, Sequence[Row[Any]]]:
        """`lock`, then the rows of a select that is built once, to PostgreSQL in one round trip (decision 104)."""
        if self.database.dialect == "sqlite":
            return self.lock(keys), self.execute(wanted, values).all()
        numbers = sorted({lock_number(key) for key in keys})
        if numbers:
            self._postgres.keep_back(PG_LOCK, (numbers,))
        rows = self.execute(with_time(wanted), values).all()
        self._now = int(rows[0].time_after_locks)
        return self._now, [row for row in rows if row.is_there]

    def upsert(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        *,
        only_if: str = "",
        keep: Sequence[str] = (),
    ) -> int:
        """Insert the rows, or where `keys` exist already set the other columns anew (except those in `keep`).

        All rows have the same columns. `only_if` is an SQL condition over `excluded` and the table, for a
        compare-and-set. Returns how many rows were written.
        """
        if not rows:
            return 0
        suffix = on_conflict(tuple(rows[0]), tuple(keys), only_if, tuple(keep))
        return self._insert_many(table, rows, suffix, counts=bool(only_if) or suffix.endswith("NOTHING"))

    def update(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str], *, only_if: str = "") -> int:
        """Set the other columns of rows that are there, found by `keys`. Cheaper than `upsert`, which looks first.

        All rows have the same columns. `only_if` is an SQL condition over `given` and the table, for a compare-and-set:
        returns how many rows were written. Without one it travels.
        """
        if not rows:
            return 0
        columns = tuple(rows[0])
        if self.database.dialect == "sqlite":
            source = f"(SELECT {', '.join(f'? AS {column}' for column in columns)}) AS given"
            text = update_from(source, table.name, columns, tuple(keys), only_if)
            return self._execute_many(text, rows)
        source = f"{rows_from_arrays(table, columns)} AS given({', '.join(columns)})"
        text = update_from(source, table.name, columns, tuple(keys), only_if)
        return self._send(text, _as_arrays(rows), len(rows), counts=bool(only_if))

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows (all with the same columns); an existing key raises IntegrityError."""
        return self._insert_many(table, rows, "", counts=False) if rows else 0

    def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> int:
        """Insert those rows whose `keys` are not there yet; returns how many."""
        return self._insert_unless_there(table, rows, keys, counts=True)

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
        """The same; as nobody asks how many, it travels."""
        self._insert_unless_there(table, rows, keys, counts=False)

    def _insert_unless_there(
        self, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str], *, counts: bool
    ) -> int:
        if not rows:
            return 0
        columns = tuple(rows[0])
        return self._insert_many(table, rows, on_conflict(columns, tuple(keys), "", columns), counts=counts)

    def insert_numbered(self, table: Table, rows: Sequence[Mapping[str, Any]], number: str) -> list[int]:
        """Insert the rows; returns the values of the autoincrement column `number`, in the order of the rows."""
        if not rows:
            return []
        if self.database.dialect == "sqlite":
            result = self.execute(numbering(table, number), [dict(row) for row in rows])
            return [int(row[0]) for row in result]
        numbers = self._postgres.take_numbers(table.name, number, len(rows))
        self.insert(table, [{number: each, **row} for each, row in zip(numbers, rows, strict=True)])
        return numbers

    def delete(self, column: Column[Any], keys: Iterable[Any]) -> None:
        """Delete the rows of the column's table where it has one of these values."""
        wanted = sorted(keys)
        if wanted and self.database.dialect == "sqlite":
            self.execute(deletion(column), {"keys": wanted})
        elif wanted:
            text = f"DELETE FROM {column.table.name} WHERE {column.name} = ANY(%s)"  # noqa: S608  # our own names
            self._postgres.keep_back(text, (wanted,))

    @property
    def _postgres(self) -> PostgresConnection:
        return driver_connection(self.connection)

    def _insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]], suffix: str, *, counts: bool) -> int:
        """`counts`: only the database knows how many of the rows it writes."""
        columns = tuple(rows[0])
        head = insert_into(table.name, columns)
        if self.database.dialect == "sqlite":
            return self._execute_many(f"{head}VALUES ({marks('?', columns)}){suffix}", rows)
        if len(rows) < FEW:
            source = "VALUES " + ", ".join([f"({marks('%s', columns)})"] * len(rows))
            flat = tuple(row[column] for row in rows for column in columns)
        else:
            source = f"SELECT * FROM {rows_from_arrays(table, columns)}"  # noqa: S608  # our own names
            flat = _as_arrays(rows)
        return self._send(head + source + suffix, flat, len(rows), counts=counts)

    def _execute_many(self, text: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """To SQLite: once for each row, with the columns of the first. Returns how many were written."""
        values = [tuple(row[column] for column in rows[0]) for row in rows]
        return self.connection.exec_driver_sql(text, values if len(values) > 1 else values[0]).rowcount

    def _send(self, text: str, values: tuple[Any, ...], rows: int, *, counts: bool) -> int:
        """To PostgreSQL: now, or with what is asked next. Returns how many rows were written."""
        if counts or self.connection.get_execution_options().get(READS_ONLY):
            return self.connection.exec_driver_sql(text, values).rowcount
        self._postgres.keep_back(text, values)
        return rows


def _as_arrays(rows: Sequence[Mapping[str, Any]]) -> tuple[ArrayLiteral, ...]:
    """For `rows_from_arrays`: one for each column."""
    return tuple(ArrayLiteral(row[column] for row in rows) for column in rows[0])
