"""Hooks in a participant's transactions: at its beginning, before it writes Clerks, and around its commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from messaging.database import Database, Tx


class TransactionHooks(Protocol):
    """What is called at each point of a transaction (see fault_hooks.py). Each may raise Crash."""

    def begins(self, service: str) -> None: ...

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        """Before the first write, when it is one of Clerks. `give_way(act)` ends the transaction, acts, begins anew."""
        ...

    def sends(self, bodies: Sequence[bytes]) -> None:
        """Outgoing messages were written to the outbox."""
        ...

    def about_to_commit(self) -> None: ...

    def has_committed(self, service: str) -> None: ...


class NoHooks:
    """Nothing goes wrong: for filling the stores, and for checking them at the end."""

    def begins(self, service: str) -> None:
        """Nothing happens."""

    def about_to_write_clerks(self, give_way: Callable[[Callable[[], None]], None]) -> None:
        """No concurrent writer."""

    def sends(self, bodies: Sequence[bytes]) -> None:
        """Nothing happens."""

    def about_to_commit(self) -> None:
        """Nothing happens."""

    def has_committed(self, service: str) -> None:
        """Nothing happens."""


class HasHooks(Protocol):
    """Knows the hooks that are in force now: the stores do."""

    hooks: TransactionHooks


WRITES = ("INSERT", "UPDATE")
WRITES_CLERKS = tuple(f"{verb} clerks" for verb in ("INSERT INTO", "UPDATE"))


class HookedConnection:
    """The connection of a transaction that writes. It calls the hooks at writes to `clerks` and to the outbox."""

    __slots__ = ("_hooks", "_inner", "_wrote")

    def __init__(self, inner: Any, hooks: TransactionHooks) -> None:
        self._inner = inner
        self._hooks = hooks
        self._wrote = False

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        if not self._wrote:
            if text.startswith(WRITES_CLERKS):
                self._hooks.about_to_write_clerks(self._give_way)
            self._wrote = text.startswith(WRITES)
        return self._inner.exec_driver_sql(text, values)

    def execute(self, statement: Any, params: Any = None) -> Any:
        if type(params) is list:  # inserts of rows; only those of the outbox have both a number and a body
            self._hooks.sends([row["body"] for row in params if "body" in row])
        self._wrote = self._wrote or not statement.is_select
        return self._inner.execute(statement, params)

    def _give_way(self, act: Callable[[], None]) -> None:
        """Nothing is written yet, so only what was read is lost; it is out of date afterwards."""
        self._inner.exec_driver_sql("ROLLBACK")
        act()
        self._inner.exec_driver_sql("BEGIN IMMEDIATE")


class HookedTransaction:
    """A transaction that writes, with hooks at its beginning, before its commit, and behind it."""

    __slots__ = ("_inner", "_service", "_stores")

    def __init__(self, inner: AbstractContextManager[Tx], service: str, stores: HasHooks) -> None:
        self._inner = inner
        self._service = service
        self._stores = stores

    def __enter__(self) -> Tx:
        hooks = self._stores.hooks
        hooks.begins(self._service)
        tx = self._inner.__enter__()
        connection: Any = HookedConnection(tx.connection, hooks)
        tx.connection = connection
        return tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hooks = self._stores.hooks
        if kind is None:
            try:
                hooks.about_to_commit()
            except BaseException as ended:
                self._inner.__exit__(type(ended), ended, ended.__traceback__)
                raise
        self._inner.__exit__(kind, error, trace)
        if kind is None:
            hooks.has_committed(self._service)


class HookedDatabase:
    """Stands in front of a store. Reading has no hooks: a crash there is like one at the next write."""

    dialect = "sqlite"

    def __init__(self, inner: Database, service: str, stores: HasHooks) -> None:
        self.clock = inner.clock
        self.read = inner.read
        self.look = inner.look
        self._inner = inner
        self._service = service
        self._stores = stores

    def begin(self) -> HookedTransaction:
        return HookedTransaction(self._inner.begin(), self._service, self._stores)


def with_hooks(inner: Database, service: str, stores: HasHooks) -> Database:
    """The store as a participant gets it: typed as a production `Database`."""
    database: Any = HookedDatabase(inner, service, stores)
    return database  # type: ignore[no-any-return]  # it has what is used of a Database, and no more
