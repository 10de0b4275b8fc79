"""Ports in front of a store: where a participant's transaction is ended, doubted and intruded upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from messaging.database import Database, Tx


class Guard(Protocol):
    """Who watches a transaction of the participant at work; world.py has it."""

    def begins(self, service: str) -> None: ...

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None: ...

    def sends(self, bodies: Sequence[bytes]) -> None: ...

    def about_to_commit(self) -> None: ...

    def has_committed(self, service: str) -> None: ...


class Unguarded:
    """Nothing goes wrong: for the outer world, and for looking at what is left."""

    def begins(self, service: str) -> None:
        """Never mind."""

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        """Nobody gets in between."""

    def sends(self, bodies: Sequence[bytes]) -> None:
        """Never mind."""

    def about_to_commit(self) -> None:
        """Never mind."""

    def has_committed(self, service: str) -> None:
        """Never mind."""


class Guarded(Protocol):
    """Who knows the guard of the moment: the stores."""

    guard: Guard


class PortedConnection:
    """The connection of a transaction that writes."""

    __slots__ = ("_guard", "_inner", "_wrote")

    def __init__(self, inner: Any, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard
        self._wrote = False

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        if not self._wrote:
            if text.startswith("INSERT INTO clerks"):
                self._guard.about_to_write_clerks(self._give_way)
            self._wrote = text.startswith("INSERT")
        return self._inner.exec_driver_sql(text, values)

    def execute(self, statement: Any, params: Any = None) -> Any:
        if type(params) is list:  # only what is numbered is inserted so, and of that only the outbox has bodies
            self._guard.sends([row["body"] for row in params if "body" in row])
        self._wrote = self._wrote or not statement.is_select
        return self._inner.execute(statement, params)

    def _give_way(self, intruder: Callable[[], None]) -> None:
        """Nothing is written yet: so what was read is all that this transaction has, and it is out of date after."""
        self._inner.exec_driver_sql("ROLLBACK")
        intruder()
        self._inner.exec_driver_sql("BEGIN IMMEDIATE")


class PortedTransaction:
    """A transaction that writes, with ports at its beginning, before its commit, and behind it."""

    __slots__ = ("_inner", "_service", "_stores")

    def __init__(self, inner: AbstractContextManager[Tx], service: str, stores: Guarded) -> None:
        self._inner = inner
        self._service = service
        self._stores = stores

    def __enter__(self) -> Tx:
        guard = self._stores.guard
        guard.begins(self._service)
        tx = self._inner.__enter__()
        connection: Any = PortedConnection(tx.connection, guard)
        tx.connection = connection
        return tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guard = self._stores.guard
        if kind is None:
            try:
                guard.about_to_commit()
            except BaseException as ended:
                self._inner.__exit__(type(ended), ended, ended.__traceback__)
                raise
        self._inner.__exit__(kind, error, trace)
        if kind is None:
            guard.has_committed(self._service)


class PortedDatabase:
    """Stands in front of a store. Reading passes no port: it changes nothing, and a crash at it shows at the next."""

    dialect = "sqlite"

    def __init__(self, inner: Database, service: str, stores: Guarded) -> None:
        self.clock = inner.clock
        self.read = inner.read
        self._inner = inner
        self._service = service
        self._stores = stores

    def begin(self) -> PortedTransaction:
        return PortedTransaction(self._inner.begin(), self._service, self._stores)


def ported(inner: Database, service: str, stores: Guarded) -> Database:
    """The store as a participant gets it, who takes it for one of production's."""
    database: Any = PortedDatabase(inner, service, stores)
    return database  # type: ignore[no-any-return]  # it has what is used of a Database, and no more
