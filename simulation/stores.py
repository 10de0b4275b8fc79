"""The five databases of a simulated shop, in memory or in SQLite files, with ports in front of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.database import Database
from simulation.clock import Clock
from simulation.ported import Guard, Unguarded, ported
from simulation.thin_sqlite import ThinDatabase, thin_database

Kind = Literal["memory", "sqlite"]
MOST_MANAGERS = 3
NAMES = (SHOP_MANAGER, *SERVICES)
PACKAGES = {SHOP_MANAGER: "shop_manager", **{service: f"{service}_service" for service in SERVICES}}


class Stores:
    """Made once, used by one scenario after the other: `empty` takes all rows away.

    `plain`: the databases as they are, by service. `ported(name)`: as a participant gets them.
    """

    def __init__(self, kind: Kind = "memory", folder: Path | None = None) -> None:
        self.kind = kind
        self.clock = Clock()
        self.guard: Guard = Unguarded()
        self._folder = folder
        self._opened: list[Database] = []
        self.plain = {service: self._created(service) for service in NAMES}
        self._instances = [self._ported(SHOP_MANAGER) for _ in range(MOST_MANAGERS)]
        self._services = {service: self._ported(service) for service in SERVICES}
        self._peeking = {service: self._connection(service) for service in NAMES}
        self._emptied = {service: [table.name for table in metadata_of(service).sorted_tables] for service in NAMES}

    def ported(self, service: str, instance: int = 0) -> Database:
        return self._instances[instance] if service == SHOP_MANAGER else self._services[service]

    def empty(self) -> None:
        for service, tables in self._emptied.items():
            peek = self._peeking[service]
            peek("BEGIN IMMEDIATE")
            for table in tables:
                peek(f"DELETE FROM {table}")  # noqa: S608  names of our own tables only
            peek("COMMIT")

    def peek(self, service: str, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows as they are now, past every port: for the stage, never for a participant."""
        rows: list[tuple[Any, ...]] = self._peeking[service](text, values).fetchall()
        return rows

    def close(self) -> None:
        for database in self._opened:
            database.close()

    def _created(self, service: str) -> Database:
        if self.kind == "memory":
            database = in_memory(metadata_of(service), self.clock)
            self._opened.append(database)
        else:
            database = self._open(service)
            metadata_of(service).create_all(database.engine)
        return database

    def _open(self, service: str) -> Database:
        database = Database(f"sqlite:///{self._folder}/{service}.db", clock=self.clock)
        self._opened.append(database)
        return database

    def _ported(self, service: str) -> Database:
        """Over files each participant has connections of its own, as in production."""
        inner = self.plain[service] if self.kind == "memory" else self._open(service)
        return ported(inner, service, self)

    def _connection(self, service: str) -> Callable[..., Any]:
        database: Any = self.plain[service]
        if isinstance(database, ThinDatabase):
            return database.raw.execute
        return database.engine.raw_connection().dbapi_connection.execute  # type: ignore[no-any-return]  # sqlite3's


def in_memory(metadata: MetaData, clock: Callable[[], int]) -> Database:
    """A simulated store with these tables, as yet without any port before it."""
    database: Any = thin_database(clock)
    # The tables are created by SQLAlchemy itself, through the very same connection.
    metadata.create_all(create_engine("sqlite://", creator=lambda: database.raw, poolclass=StaticPool))
    for index in [index.name for table in metadata.tables.values() for index in table.indexes if not index.unique]:
        database.raw.execute(f"DROP INDEX {index}")  # with a few rows they only cost
    return database  # type: ignore[no-any-return]  # as above


def metadata_of(service: str) -> MetaData:
    metadata: MetaData = import_module(f"{PACKAGES[service]}.store").metadata
    return metadata
