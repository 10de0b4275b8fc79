"""SQLite in memory with as little as possible around it: what the simulated stores are made of.

It stands where SQLAlchemy's engine stands in a `Database`, takes the same statements, and gives the same rows and
errors. Compiling, pooling and events are what it saves; they cost several times what SQLite itself does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Boolean, IteratorResult
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import IntegrityError, OperationalError

_DIALECT = dialect()
_COMPILED: dict[Any, Any] = {}
_PREPARED: dict[Any, Prepared] = {}
_KNOWN: WeakKeyDictionary[Any, tuple[Prepared, Any]] = WeakKeyDictionary()


class Counted:
    """The outcome of a statement without rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class Prepared:
    """One compiled statement: where its values go, and what its rows look like."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.lists = frozenset(compiled.bind_names[parameter] for parameter in compiled.post_compile_params)
        columns = compiled._result_columns
        self.row = SimpleResultMetaData([column.keyname for column in columns]) if columns else None
        self.booleans = [number for number, column in enumerate(columns) if isinstance(column.type, Boolean)]
        self._texts: dict[tuple[int, ...], str] = {}

    def bind(self, params: Mapping[str, Any], extracted: Any) -> tuple[str, Sequence[Any]]:
        """The SQL text and its values, lists written out."""
        values = self.compiled.construct_params(params, extracted_parameters=extracted)
        names = self.compiled.positiontup
        if not self.lists:
            return self.compiled.string, [values[name] for name in names]
        if not all(values[name] for name in self.lists):
            expanded = self.compiled.construct_expanded_state(values)
            return expanded.statement, [expanded.parameters[name] for name in expanded.positiontup]
        flat: list[Any] = []
        for name in names:
            if name not in self.lists:
                flat.append(values[name])
            elif isinstance(values[name][0], tuple):
                flat += [each for group in values[name] for each in group]
            else:
                flat += values[name]
        return self._text(values), flat

    def _text(self, values: Mapping[str, Any]) -> str:
        lengths = tuple(len(values[name]) for name in sorted(self.lists))
        text = self._texts.get(lengths)
        if text is None:
            text = self.compiled.construct_expanded_state(values).statement
            self._texts[lengths] = text
        return text

    def rows(self, raw: list[tuple[Any, ...]]) -> Any:
        if self.booleans:
            raw = [self._with_booleans(row) for row in raw]
        return IteratorResult(self.row, iter(raw))  # type: ignore[arg-type]  # only called when there are columns

    def _with_booleans(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for number in self.booleans:
            values[number] = None if values[number] is None else bool(values[number])
        return tuple(values)


def prepared(statement: Any, columns: Sequence[str]) -> tuple[Prepared, Any]:
    """A statement as it was compiled the first time, and the values that are in this one.

    Statements that are built once and get their values as parameters are known again by themselves.
    """
    known = _KNOWN.get(statement)
    if known is not None:
        return known
    compiled, extracted, *_ = statement._compile_w_cache(
        _DIALECT, compiled_cache=_COMPILED, column_keys=columns, for_executemany=False
    )
    found = _PREPARED.get(compiled)
    if found is None:
        found = _PREPARED[compiled] = Prepared(compiled)
    _KNOWN[statement] = found, extracted
    return found, extracted


class ThinConnection:
    """As much of SQLAlchemy's `Connection` as a `Tx` uses."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def execute(self, statement: Any, params: Any = None) -> Any:
        if isinstance(params, list):
            return self._insert_each(statement, params)
        mapping = params or {}
        found, extracted = prepared(statement, list(mapping))
        text, values = found.bind(mapping, extracted)
        cursor = _guarded(lambda: self._raw.execute(text, values), text)
        return Counted(cursor.rowcount) if found.row is None else found.rows(cursor.fetchall())

    def _insert_each(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
        found, extracted = prepared(statement, list(rows[0]))
        returned: list[tuple[Any, ...]] = []
        for row in rows:
            text, values = found.bind(row, extracted)
            returned += _guarded(lambda: self._raw.execute(text, values), text).fetchall()  # noqa: B023  called at once
        return found.rows(returned)

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        many = isinstance(values, list)
        run = self._raw.executemany if many else self._raw.execute
        cursor = _guarded(lambda: run(text, values), text)
        if cursor.description is None:
            return Counted(cursor.rowcount)
        return IteratorResult(SimpleResultMetaData([column[0] for column in cursor.description]), iter(cursor))

    @contextmanager
    def begin(self) -> Iterator[None]:
        """As with SQLAlchemy the caller says BEGIN himself; the end of the block is the end of the transaction."""
        try:
            yield
            _guarded(lambda: self._raw.execute("COMMIT"), "COMMIT")
        finally:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")

    def execution_options(self, **_options: Any) -> ThinConnection:
        return self


class ThinEngine:
    """One SQLite database in memory, with one connection. It has one user at a time: the simulation is one thread."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=2000, check_same_thread=False)

    @contextmanager
    def connect(self) -> Iterator[ThinConnection]:
        try:
            yield ThinConnection(self.raw)
        finally:
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")

    def dispose(self) -> None:
        self.raw.close()


def _guarded(act: Callable[[], sqlite3.Cursor], text: str) -> sqlite3.Cursor:
    """SQLite's errors as SQLAlchemy's, which is what production code knows."""
    try:
        return act()
    except sqlite3.IntegrityError as error:
        raise IntegrityError(text, None, error) from None
    except sqlite3.OperationalError as error:
        raise OperationalError(text, None, error) from None
