"""The five databases of a simulated shop, in memory or in SQLite files, with ports in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.pool import StaticPool

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.database import Database
from simulation.clock import Clock
from simulation.thin_sqlite import ThinEngine

Kind = Literal["memory", "sqlite"]
MOST_MANAGERS = 3
NAMES = (SHOP_MANAGER, *SERVICES)
PACKAGES = {SHOP_MANAGER: "shop_manager", **{service: f"{service}_service" for service in SERVICES}}


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


class PortedConnection:
    """A connection whose transaction can be ended, doubted and intruded upon at its ports."""

    def __init__(self, inner: Any, service: str, guard: Guard) -> None:
        self._inner = inner
        self._service = service
        self._guard = guard
        self._writes = False
        self._wrote = False

    def exec_driver_sql(self, text: str, values: Any = ()) -> Any:
        if text == "BEGIN IMMEDIATE":
            self._guard.begins(self._service)
            self._writes = True
        elif not self._wrote and text.startswith("INSERT INTO clerks"):
            self._guard.about_to_write_clerks(self._give_way)
        self._wrote = self._wrote or text.startswith("INSERT")
        return self._inner.exec_driver_sql(text, values)

    def execute(self, statement: Any, params: Any = None) -> Any:
        if isinstance(params, list):  # only what is numbered is inserted so, and of that only the outbox has bodies
            self._guard.sends([row["body"] for row in params if "body" in row])
        self._wrote = self._wrote or not statement.is_select
        return self._inner.execute(statement, params)

    def execution_options(self, **options: Any) -> PortedConnection:
        return self

    def _give_way(self, intruder: Callable[[], None]) -> None:
        """Nothing is written yet: so what was read is all that this transaction has, and it is out of date after."""
        self._inner.exec_driver_sql("ROLLBACK")
        intruder()
        self._inner.exec_driver_sql("BEGIN IMMEDIATE")

    @contextmanager
    def begin(self) -> Iterator[None]:
        with self._inner.begin():
            yield
            if self._writes:
                self._guard.about_to_commit()
        if self._writes:
            self._guard.has_committed(self._service)


class PortedEngine:
    """Stands in front of a real engine or a thin one."""

    def __init__(self, inner: Any, service: str, stores: Stores) -> None:
        self._inner = inner
        self._service = service
        self._stores = stores

    @contextmanager
    def connect(self) -> Iterator[PortedConnection]:
        with self._inner.connect() as connection:
            yield PortedConnection(connection, self._service, self._stores.guard)

    def dispose(self) -> None:
        self._inner.dispose()


class Stores:
    """Made once, used by one scenario after the other: `empty` takes all rows away.

    `plain`: the databases as they are, by service. `ported(name)`: as a participant gets them.
    """

    def __init__(self, kind: Kind = "memory", folder: Path | None = None) -> None:
        self.kind = kind
        self.clock = Clock()
        self.guard: Guard = Unguarded()
        self.plain = {service: self._database(service, folder) for service in NAMES}
        self._instances = [self._ported_copy(SHOP_MANAGER) for _ in range(MOST_MANAGERS)]
        self._services = {service: self._ported_copy(service) for service in SERVICES}
        self._peeking = {service: self._connection(service) for service in NAMES}

    def ported(self, service: str, instance: int = 0) -> Database:
        return self._instances[instance] if service == SHOP_MANAGER else self._services[service]

    def empty(self) -> None:
        for service in NAMES:
            peek = self._peeking[service]
            peek("BEGIN IMMEDIATE")
            for table in metadata_of(service).tables:
                peek(f"DELETE FROM {table}")  # noqa: S608  names of our own tables only
            peek("COMMIT")

    def peek(self, service: str, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows as they are now, past every port: for the stage, never for a participant."""
        rows: list[tuple[Any, ...]] = self._peeking[service](text, values).fetchall()
        return rows

    def close(self) -> None:
        for database in self.plain.values():
            database.close()

    def _database(self, service: str, folder: Path | None) -> Database:
        if self.kind == "sqlite":
            database = Database(f"sqlite:///{folder}/{service}.db", clock=self.clock)
            metadata_of(service).create_all(database.engine)
            return database
        return in_memory(metadata_of(service), self.clock)

    def _ported_copy(self, service: str) -> Database:
        return ported(self.plain[service], service, self)

    def _connection(self, service: str) -> Callable[..., Any]:
        engine: Any = self.plain[service].engine
        if isinstance(engine, ThinEngine):
            return engine.raw.execute
        return cast(Any, engine.raw_connection().dbapi_connection).execute  # type: ignore[no-any-return]  # sqlite3's


def in_memory(metadata: MetaData, clock: Callable[[], int]) -> Database:
    """A simulated store with these tables, as yet without any port before it."""
    thin = ThinEngine()
    # The tables are created by SQLAlchemy itself, through the very same connection.
    metadata.create_all(create_engine("sqlite://", creator=lambda: thin.raw, poolclass=StaticPool))
    return _with_engine(thin, clock)


def ported(database: Database, service: str, stores: Stores) -> Database:
    """The same store as a participant gets it."""
    return _with_engine(PortedEngine(database.engine, service, stores), database.clock)


def metadata_of(service: str) -> MetaData:
    metadata: MetaData = import_module(f"{PACKAGES[service]}.store").metadata
    return metadata


def _with_engine(engine: Any, clock: Callable[[], int]) -> Database:
    """A production `Database` that works through this engine. Its own, of a file that is never opened, goes unused."""
    database = Database("sqlite:///simulated.db", clock=clock)
    database.engine = cast(Engine, engine)
    return database
