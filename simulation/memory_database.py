"""A fast in-memory replacement of `Database`: SQLite, with as little of SQLAlchemy as the stores need.

It takes the same statements, and returns the same rows and errors. It saves compiling, pooling and events, which cost
several times as much as SQLite itself (docs/decisions/021). The contract tests of messaging hold it to `Database`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence
from types import TracebackType
from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.engine.row import Row, RowMapping
from sqlalchemy.exc import IntegrityError, OperationalError

from messaging.database import Database, Tx
from messaging.database_time import SQLITE_NOW

_DIALECT = dialect()
_COMPILED: dict[Any, Any] = {}
_PREPARED: dict[Any, CompiledStatement] = {}
_BOUND: dict[Any, BoundStatement] = {}
MAX_BOUND = 2_000
"""More than production code has: beyond that, some statement is built anew each time, and caching it is useless."""


class RowCount:
    """The result of a statement without rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class Rows:
    """The result of a statement with rows, which are SQLAlchemy's: as much of its `Result` as is used."""

    __slots__ = ("_raw", "_shape")

    def __init__(self, shape: SimpleResultMetaData, raw: Sequence[tuple[Any, ...]]) -> None:
        self._shape = shape
        self._raw = raw

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self.all())

    def all(self) -> list[Row[Any]]:
        shape, places = self._shape, self._shape._key_to_index
        return [Row(shape, None, places, row) for row in self._raw]

    def first(self) -> Row[Any] | None:
        return Row(self._shape, None, self._shape._key_to_index, self._raw[0]) if self._raw else None

    def one(self) -> Row[Any]:
        [row] = self.all()
        return row

    def scalar_one(self) -> Any:
        return self.one()[0]

    def mappings(self) -> list[RowMapping]:
        return [row._mapping for row in self.all()]


class CompiledStatement:
    """A compiled statement: its text, the names of its values in their order, and the columns of its rows.

    `lists`: values that are lists (`IN`), which make the text depend on how long they are.
    """

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.text: str = compiled.string
        self.names: Sequence[str] = compiled.positiontup
        self.lists = frozenset(compiled.bind_names[parameter] for parameter in compiled.post_compile_params)
        columns = compiled._result_columns
        self.row = SimpleResultMetaData([column.keyname for column in columns]) if columns else None
        self.booleans = [number for number, column in enumerate(columns) if isinstance(column.type, Boolean)]
        self._only = next(iter(self.lists)) if len(self.lists) == 1 else None
        self._texts: dict[tuple[int, ...], str] = {}

    def expand(self, values: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        """The SQL text and its values, with lists expanded."""
        if self._only is not None and len(self.names) == 1:
            listed = values[self._only]
            text = self._texts.get((len(listed),))
            if text is not None and not isinstance(listed[0], tuple):
                return text, listed
        if not all(values[name] for name in self.lists):
            expanded = self.compiled.construct_expanded_state(values)
            return expanded.statement, [expanded.parameters[name] for name in expanded.positiontup]
        flat: list[Any] = []
        for name in self.names:
            if name not in self.lists:
                flat.append(values[name])
            elif isinstance(values[name][0], tuple):
                flat += [each for group in values[name] for each in group]
            else:
                flat += values[name]
        return self._text_of(values), flat

    def _text_of(self, values: Mapping[str, Any]) -> str:
        lengths = tuple(len(values[name]) for name in sorted(self.lists))
        text = self._texts.get(lengths)
        if text is None:
            text = self.compiled.construct_expanded_state(values).statement
            self._texts[lengths] = text
        return text

    def rows(self, raw: list[tuple[Any, ...]]) -> Any:
        if self.booleans:
            raw = [self._with_booleans(row) for row in raw]
        return Rows(self.row, raw)  # type: ignore[arg-type]  # only called when there are columns

    def _with_booleans(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for number in self.booleans:
            values[number] = None if values[number] is None else bool(values[number])
        return tuple(values)


class BoundStatement:
    """A statement that was executed before, with the values that it contains; the others come as parameters."""

    def __init__(self, prepared: CompiledStatement, params: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self.prepared = prepared
        self.parameters = frozenset(params)
        self.own = {name: value for name, value in own.items() if name not in params}

    def fits(self, names: KeysView[str]) -> bool:
        return names == self.parameters

    def bind(self, params: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        """The SQL text and its values."""
        values = {**self.own, **params} if self.own else params
        prepared = self.prepared
        if prepared.lists:
            return prepared.expand(values)
        return prepared.text, [values[name] for name in prepared.names]


def bind_statement(statement: Any, params: Mapping[str, Any]) -> BoundStatement:
    """The statement as it was compiled the first time; a statement that is built once is found again by identity."""
    known = _BOUND.get(statement)
    if known is not None and known.fits(params.keys()):
        return known
    compiled, extracted, *_ = statement._compile_w_cache(
        _DIALECT, compiled_cache=_COMPILED, column_keys=list(params), for_executemany=False
    )
    prepared = _PREPARED.get(compiled)
    if prepared is None:
        prepared = _PREPARED[compiled] = CompiledStatement(compiled)
    found = BoundStatement(prepared, params, compiled.construct_params(params, extracted_parameters=extracted))
    if len(_BOUND) == MAX_BOUND:
        _BOUND.clear()
    _BOUND[statement] = found
    return found


class MemoryConnection:
    """As much of SQLAlchemy's `Connection` as a `Tx` uses."""

    __slots__ = ("_raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def execute(self, statement: Any, params: Any = None) -> Any:
        if type(params) is list:
            return self._insert_each(statement, params)
        mapping = params or {}
        found = bind_statement(statement, mapping)
        text, values = found.bind(mapping)
        cursor = _run(self._raw.execute, text, values)
        prepared = found.prepared
        return RowCount(cursor.rowcount) if prepared.row is None else prepared.rows(cursor.fetchall())

    def _insert_each(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
        found = bind_statement(statement, rows[0])
        returned: list[tuple[Any, ...]] = []
        for row in rows:
            text, values = found.bind(row)
            returned += _run(self._raw.execute, text, values).fetchall()
        return found.prepared.rows(returned)

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        cursor = _run(self._raw.executemany if type(values) is list else self._raw.execute, text, values)
        if cursor.description is None:
            return RowCount(cursor.rowcount)
        return Rows(SimpleResultMetaData([column[0] for column in cursor.description]), cursor.fetchall())


class ReadOnlyConnection:
    """The connection of a transaction that only reads: a write raises, as with a production `Database`."""

    __slots__ = ("_inner",)

    def __init__(self, inner: MemoryConnection) -> None:
        self._inner = inner

    def execute(self, statement: Any, params: Any = None) -> Any:
        if not statement.is_select:
            self.exec_driver_sql(str(statement))
        return self._inner.execute(statement, params)

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        raise OperationalError(text, None, sqlite3.OperationalError("this transaction only reads"))


class ReadTransaction:
    """What `Database.read` returns. It needs no transaction: nobody else acts meanwhile."""

    __slots__ = ("_database",)

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    def __enter__(self) -> Tx:
        return self._database.tx(self._database.reading)

    def __exit__(self, *_error: object) -> None:
        """There is nothing to end."""


class WriteTransaction:
    """What `Database.begin` returns."""

    __slots__ = ("_database", "_tx")

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._tx = database.tx(database.writing)

    def __enter__(self) -> Tx:
        _run(self._database.raw.execute, "BEGIN IMMEDIATE", ())
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raw = self._database.raw
        try:
            if kind is None:
                _run(raw.execute, "COMMIT", ())
        finally:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
        if kind is None:
            for act in self._tx.after_commit:
                act()


class MemoryDatabase:
    """One SQLite database in memory, with one connection. It has one user at a time: the simulation is one thread."""

    dialect = "sqlite"

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=2000, check_same_thread=False)
        self.raw.create_function(SQLITE_NOW, 0, clock)
        self.writing = MemoryConnection(self.raw)
        self.reading = ReadOnlyConnection(self.writing)
        self._itself: Any = self

    def begin(self) -> WriteTransaction:
        return WriteTransaction(self)

    def read(self) -> ReadTransaction:
        return ReadTransaction(self)

    look = read

    def tx(self, connection: Any) -> Tx:
        return Tx(connection, self._itself)

    def close(self) -> None:
        self.raw.close()


def memory_database(clock: Callable[[], int]) -> Database:
    """A new one, typed as a production `Database`."""
    database: Any = MemoryDatabase(clock)
    return database  # type: ignore[no-any-return]  # it has what is used of a Database, and no more


def _run(execute: Callable[[str, Any], sqlite3.Cursor], text: str, values: Any) -> sqlite3.Cursor:
    """SQLite's errors as SQLAlchemy's, which is what production code knows."""
    try:
        return execute(text, values)
    except sqlite3.IntegrityError as error:
        raise IntegrityError(text, None, error) from None
    except sqlite3.OperationalError as error:
        raise OperationalError(text, None, error) from None
