"""PostgreSQL's side of the database: what nobody waits for travels with what is asked next.

A round trip costs more than most statements. So `BEGIN`, and every write whose answer is known beforehand, is kept back
until something is asked, or until the commit, and goes out in the same message (docs/decisions/102).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

from psycopg2 import OperationalError as NoConnection
from psycopg2 import extensions
from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError, OperationalError

from messaging.database_limits import (
    CONNECT_WITHIN,
    CONNECTION_WITHIN,
    LOCK_WITHIN_MS,
    NoAnswer,
    given_up_after,
    wait_for_answer,
)

LOCK_LIMIT_MS = 10_000
OVERFLOW = 2
"""Connections beyond the pool: five services of 10 + 2 fit into the hundred that PostgreSQL allows."""
IDLE_LIMIT_MS = 15_000
"""A paused process may hold its locks that long; then PostgreSQL ends its transaction (semantics T3)."""
READS_ONLY = "reads_only"
"""The name of a connection's execution option: its transactions see one picture, and write nothing."""
ALONE = "alone"
"""The name of a connection's execution option: each of its statements is a transaction of its own."""
NUMBERS_AT_ONCE = 100
READ_ONLY = "25006"
"""PostgreSQL's code for a write in a transaction that only reads."""
_BEGIN = b"BEGIN"
_BEGIN_READING = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NUMBERS = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"


class PostgresCursor(extensions.cursor):
    """Sends what its connection has kept back ahead of its own statement, in one message."""

    connection: PostgresConnection

    def execute(self, query: Any, variables: Any = None) -> None:
        kept_back = self.connection.kept_back
        if not kept_back:
            super().execute(query, variables)
            return
        message = b";\n".join([*kept_back, self.mogrify(query, variables)])
        kept_back.clear()
        super().execute(message)

    def executemany(self, query: Any, rows: Any) -> None:
        self.connection.send_kept_back()
        super().executemany(query, rows)


class PostgresConnection(extensions.connection):
    """A connection that says BEGIN, COMMIT and ROLLBACK itself, each with what it has `kept_back`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.autocommit = True  # the driver's own BEGIN would be a round trip
        self.cursor_factory = PostgresCursor
        self.kept_back: list[bytes] = []
        self._numbers: dict[str, list[int]] = {}

    def keep_back(self, query: str, values: Sequence[Any]) -> None:
        """Send this statement with the next one, or with the commit; what is wrong with it is raised then."""
        with self.cursor() as cursor:
            self.kept_back.append(cursor.mogrify(query, values))

    @property
    def has_writes(self) -> bool:
        """Is more kept back than the beginning of a transaction?"""
        return bool(self.kept_back) and self.kept_back not in ([_BEGIN], [_BEGIN_READING])

    def send_kept_back(self) -> None:
        """Send what is kept back now."""
        if self.kept_back:
            message = b";\n".join(self.kept_back)
            self.kept_back.clear()
            with self.cursor() as cursor:
                cursor.execute(message)

    def commit(self) -> None:
        if self._has_begun or self.has_writes:
            self.kept_back.append(b"COMMIT")
            self.send_kept_back()
        self.kept_back.clear()

    def rollback(self) -> None:
        self.kept_back.clear()
        if self.closed:
            super().rollback()  # says so
        elif self._has_begun:
            with self.cursor() as cursor:
                cursor.execute("ROLLBACK")

    def take_numbers(self, table: str, column: str, count: int) -> list[int]:
        """The next values of a column's sequence, growing; a stock of them is fetched at once.

        Values that are never used, after a rollback or with the connection's end, are missing: nobody minds.
        """
        stock = self._numbers.setdefault(table, [])
        if len(stock) < count:
            with self.cursor() as cursor:
                cursor.execute(_NUMBERS, (table, column, count + NUMBERS_AT_ONCE))
                stock[:] = sorted(row[0] for row in cursor.fetchall())
        taken = stock[:count]
        del stock[:count]
        return taken

    @property
    def is_alive(self) -> bool:
        """Has the server said nothing unasked, such as that it goes? Without a round trip."""
        if self.closed:
            return False
        unasked = select.poll()
        unasked.register(self.fileno(), select.POLLIN)
        return not unasked.poll(0)

    @property
    def _has_begun(self) -> bool:
        return self.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE


def driver_connection(connection: Connection) -> PostgresConnection:
    """The driver's connection behind SQLAlchemy's, of an engine that was made here."""
    return connection.connection.dbapi_connection  # type: ignore[return-value]  # the engine's connection_factory


def postgres_engine(url: str, pool: int, schema: str | None) -> Engine:
    options = f"-c lock_timeout={LOCK_LIMIT_MS} -c idle_in_transaction_session_timeout={IDLE_LIMIT_MS} -c timezone=UTC"
    options += " -c standard_conforming_strings=on"  # for ArrayLiteral
    if schema:
        options += f" -c search_path={schema},public"
    extensions.set_wait_callback(wait_for_answer)
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=OVERFLOW,
        pool_timeout=CONNECTION_WITHIN,
        hide_parameters=True,  # an error's text goes into logs: the values stay out of it
        pool_recycle=1800,
        use_native_hstore=False,
        connect_args={
            "connection_factory": PostgresConnection,
            "options": options,
            "application_name": "shop-clerk",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _require_alive)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(dialect: Dialect, _record: Any, arguments: Any, named: Any) -> Any:
    """While we wait ourselves, the driver's own limit does not hold, nor does it say where it wanted to connect."""
    try:
        with given_up_after(CONNECT_WITHIN):
            return dialect.connect(*arguments, **named)
    except NoConnection as error:
        if str(error).startswith("connection to server"):
            raise
        place = f'connection to server at "{named.get("host", "")}", port {named.get("port", 5432)} failed: '
        raise type(error)(place + str(error)) from None


def _require_alive(connection: PostgresConnection, _record: Any, _proxy: Any) -> None:
    """The pool replaces a connection that has ended while it was not used."""
    if not connection.is_alive:
        raise DisconnectionError


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(ALONE):
        driver_connection(connection).kept_back.append(_BEGIN_READING if options.get(READS_ONLY) else _BEGIN)


def set_lock_limit(connection: Connection) -> None:
    """For this transaction; it travels with the first statement."""
    driver_connection(connection).keep_back(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}", ())


def keep_the_others(context: ExceptionContext) -> None:
    """One connection that gets no answer in time is given up; the others may be well."""
    if isinstance(context.original_exception, NoAnswer):
        context.invalidate_pool_on_disconnect = False


def call_read_only_trouble(context: ExceptionContext) -> OperationalError | None:
    """A database that takes no writes (a replica, to which a fail-over has led us) is as good as away: this connection
    is given up, for the next one may lead to another. Writing where we asked to read only stays a bug of ours.
    """
    error, connection = context.original_exception, context.connection
    ours = connection is not None and connection.get_execution_options().get(READS_ONLY)
    if getattr(error, "pgcode", None) != READ_ONLY or ours:
        return None
    context.is_disconnect = True
    return OperationalError(context.statement, None, error, hide_parameters=True, connection_invalidated=True)
