"""The five databases of a simulated shop, in memory or in SQLite files, with hooks in participants' transactions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.database import Database
from messaging.migrations import metadata_of
from simulation.clock import Clock
from simulation.database_hooks import NoHooks, TransactionHooks, with_hooks
from simulation.memory_database import MemoryDatabase, memory_database

StoreKind = Literal["memory", "sqlite"]
MAX_MANAGERS = 3
NAMES = (SHOP_MANAGER, *SERVICES)
PACKAGES = {SHOP_MANAGER: "shop_manager", **{service: f"{service}_service" for service in SERVICES}}


class Stores:
    """Made once, used by one scenario after the other: `empty` deletes all rows.

    `plain`: the databases without hooks, by service. `hooked(service)`: as a participant gets them. `hooks`: those in
    force now.
    """

    def __init__(self, kind: StoreKind = "memory", folder: Path | None = None) -> None:
        self.kind = kind
        self.clock = Clock()
        self.hooks: TransactionHooks = NoHooks()
        self._folder = folder
        self._opened: list[Database] = []
        self.plain = {service: self._created(service) for service in NAMES}
        self._instances = [self._hooked(SHOP_MANAGER) for _ in range(MAX_MANAGERS)]
        self._services = {service: self._hooked(service) for service in SERVICES}
        self._connections = {service: self._connection(service) for service in NAMES}
        self._tables = {
            service: [table.name for table in metadata_of(PACKAGES[service]).sorted_tables] for service in NAMES
        }

    def hooked(self, service: str, instance: int = 0) -> Database:
        return self._instances[instance] if service == SHOP_MANAGER else self._services[service]

    def empty(self) -> None:
        for service, tables in self._tables.items():
            peek = self._connections[service]
            peek("BEGIN IMMEDIATE")
            for table in tables:
                peek(f"DELETE FROM {table}")  # noqa: S608  names of our own tables only
            peek("COMMIT")

    def peek(self, service: str, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows as they are now, without hooks and transaction: for the simulation, never for a participant."""
        rows: list[tuple[Any, ...]] = self._connections[service](text, values).fetchall()
        return rows

    def close(self) -> None:
        for database in self._opened:
            database.close()

    def _created(self, service: str) -> Database:
        if self.kind == "memory":
            database = in_memory(metadata_of(PACKAGES[service]), self.clock)
            self._opened.append(database)
        else:
            database = self._open(service)
            metadata_of(PACKAGES[service]).create_all(database.engine)
        return database

    def _open(self, service: str) -> Database:
        database = Database(f"sqlite:///{self._folder}/{service}.db", clock=self.clock)
        self._opened.append(database)
        return database

    def _hooked(self, service: str) -> Database:
        """Over files each participant has its own connections, as in production."""
        inner = self.plain[service] if self.kind == "memory" else self._open(service)
        return with_hooks(inner, service, self)

    def _connection(self, service: str) -> Callable[..., Any]:
        database: Any = self.plain[service]
        if isinstance(database, MemoryDatabase):
            return database.raw.execute
        return database.engine.raw_connection().dbapi_connection.execute  # type: ignore[no-any-return]  # sqlite3's


def in_memory(metadata: MetaData, clock: Callable[[], int]) -> Database:
    """A simulated store with these tables, without hooks."""
    database: Any = memory_database(clock)
    # The tables are created by SQLAlchemy itself, through the very same connection.
    metadata.create_all(create_engine("sqlite://", creator=lambda: database.raw, poolclass=StaticPool))
    for index in [index.name for table in metadata.tables.values() for index in table.indexes if not index.unique]:
        database.raw.execute(f"DROP INDEX {index}")  # with a few rows they only cost time
    return database  # type: ignore[no-any-return]  # as above
