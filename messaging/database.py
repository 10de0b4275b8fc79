"""The database edge: one engine a service, write transactions that cannot deadlock, and the bulk statements.

SQLite and PostgreSQL differ in here and nowhere else (architecture.md, Two ways to run).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from sqlalchemy import BindParameter, Connection, Engine, Executable, Table, bindparam, create_engine, event, make_url
from sqlalchemy.engine import CursorResult, ExceptionContext
from sqlalchemy.exc import ArgumentError, OperationalError

LOCK_LIMIT_MS = 10_000
OVERFLOW = 2
"""Connections beyond the pool: five services of 10 + 2 fit into the hundred that PostgreSQL allows."""
READ_ONLY = "25006"
"""PostgreSQL's code for a write in a transaction that only reads."""
IDLE_LIMIT_MS = 15_000
"""A paused process may hold its locks that long; then PostgreSQL ends its transaction (semantics T3)."""


KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""For statements that are built once and run often, `column.in_(KEYS)`: building one costs more than running it."""


class BadDatabaseUrl(ValueError):
    """The URL names no database this product can use; the message is one clear line."""


def check_url(url: str) -> str:
    """The URL as SQLAlchemy should have it; BadDatabaseUrl says what is wrong without showing the password.

    SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3, which is not ours: the driver is named here.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadDatabaseUrl("database URL cannot be read: allowed are sqlite:///FILE and postgresql://…") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg2"):
        parsed = parsed.set(drivername="postgresql+psycopg2")
    elif parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise BadDatabaseUrl(
            f"database URL {parsed.render_as_string()!r}: allowed are sqlite:///FILE and postgresql://…"
        )
    return parsed.render_as_string(hide_password=False)


class Database:
    """One service's database. `clock` gives the process's time in ms, which only SQLite uses (semantics T4).

    `schema`: where several services share one PostgreSQL database, each has its own schema of this name; while there
    is none, the database is the service's own, and its tables are where they always are. `statements` and `commits`
    count what was sent and committed so far, for the metrics and benchmarks.
    """

    def __init__(
        self, url: str, *, pool: int = 8, clock: Callable[[], int] | None = None, schema: str | None = None
    ) -> None:
        self.url = check_url(url)
        self.schema = schema
        self.clock = clock or (lambda: time.time_ns() // 1_000_000)
        self.dialect = "sqlite" if self.url.startswith("sqlite") else "postgresql"
        self.engine = _sqlite_engine(self.url) if self.dialect == "sqlite" else _postgres_engine(self.url, pool, schema)
        # SQLite's own waiting is sleeping and trying again; threads of one process had better queue up here.
        self._one_writer: AbstractContextManager[object] = Lock() if self.dialect == "sqlite" else nullcontext()
        self.statements = 0
        self.commits = 0
        event.listen(self.engine, "handle_error", _call_read_only_trouble, retval=True)
        event.listen(self.engine, "before_cursor_execute", self._count_statement)
        event.listen(self.engine, "commit", self._count_commit)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back when it raises."""
        with self._one_writer, self.engine.connect() as connection, connection.begin():
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield Tx(connection, self)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads: a consistent picture, no locks held against writers."""
        with self.engine.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield Tx(connection, self)

    def _count_statement(self, *_arguments: object) -> None:
        self.statements += 1

    def _count_commit(self, _connection: object) -> None:
        self.commits += 1

    def ping(self) -> None:
        """Raises SQLAlchemy's error when the database cannot be reached."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        self.engine.dispose()


class Tx:
    """One transaction: reads are SQLAlchemy statements, bulk writes one statement whatever the number of rows."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self.database = database
        self._now: int | None = None

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
        numbers = sorted({_lock_number(key) for key in keys})
        taken = ", pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number" if numbers else ""
        rows = self.connection.exec_driver_sql(f"SELECT {_PG_NOW}{taken}", (numbers,) if numbers else ())
        self._now = int(rows.all()[-1][0])
        return self._now

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
        return self._insert_many(table, rows, _on_conflict(tuple(rows[0]), tuple(keys), only_if, tuple(keep)))

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows (all with the same columns); an existing key raises IntegrityError."""
        return self._insert_many(table, rows, "") if rows else 0

    def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> int:
        """Insert those rows whose `keys` are not there yet; returns how many."""
        return self.upsert(table, rows, keys, keep=list(rows[0])) if rows else 0

    def insert_numbered(self, table: Table, rows: Sequence[Mapping[str, Any]], number: str) -> list[int]:
        """Insert the rows; returns the values of the autoincrement column `number`, in the order of the rows."""
        if not rows:
            return []
        result = self.execute(_numbering(table, number), [dict(row) for row in rows])
        return [int(row[0]) for row in result]

    def _insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]], suffix: str) -> int:
        columns = tuple(rows[0])
        head = _insert_into(table.name, columns)
        if self.database.dialect == "sqlite":
            values = [tuple(row[column] for column in columns) for row in rows]
            text = f"{head}({_marks('?', columns)}){suffix}"
            return self.connection.exec_driver_sql(text, values if len(values) > 1 else values[0]).rowcount
        marks = ", ".join([f"({_marks('%s', columns)})"] * len(rows))
        flat = tuple(row[column] for row in rows for column in columns)
        return self.connection.exec_driver_sql(head + marks + suffix, flat).rowcount


@cache
def _numbering(table: Table, number: str) -> Executable:
    return table.insert().returning(table.c[number], sort_by_parameter_order=True)


@lru_cache(maxsize=500)
def _on_conflict(columns: Sequence[str], keys: Sequence[str], only_if: str, keep: Sequence[str]) -> str:
    changed = [column for column in columns if column not in keys and column not in keep]
    conflict = "DO NOTHING"
    if changed:
        assignments = ", ".join(f"{column} = excluded.{column}" for column in changed)
        conflict = f"DO UPDATE SET {assignments}" + (f" WHERE {only_if}" if only_if else "")
    return f" ON CONFLICT ({', '.join(keys)}) {conflict}"


@cache
def _insert_into(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608  # names of our own tables only


@cache
def _marks(mark: str, columns: Sequence[str]) -> str:
    return ", ".join([mark] * len(columns))


_PG_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"


def _lock_number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def _postgres_engine(url: str, pool: int, schema: str | None) -> Engine:
    options = f"-c lock_timeout={LOCK_LIMIT_MS} -c idle_in_transaction_session_timeout={IDLE_LIMIT_MS} -c timezone=UTC"
    if schema:
        options += f" -c search_path={schema},public"
    return create_engine(
        url,
        pool_size=pool,
        max_overflow=OVERFLOW,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text goes into logs: the values stay out of it
        pool_recycle=1800,
        use_native_hstore=False,
        connect_args={
            "connect_timeout": 5,
            "options": options,
            "application_name": "shop-clerk",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    )


def _call_read_only_trouble(context: ExceptionContext) -> OperationalError | None:
    """A database that takes no writes (a replica, to which a fail-over has led us) is as good as away: this connection
    is given up, for the next one may lead to another. Writing where we asked to read only stays a bug of ours.
    """
    error, connection = context.original_exception, context.connection
    ours = connection is not None and connection.get_execution_options().get("postgresql_readonly")
    if getattr(error, "pgcode", None) != READ_ONLY or ours:
        return None
    context.is_disconnect = True
    return OperationalError(context.statement, None, error, hide_parameters=True, connection_invalidated=True)


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": 30, "check_same_thread": False},
        pool_size=8,
        max_overflow=32,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would come too late (libraries.md)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine
