"""Connections to SQLite files: how they wait for each other, and what a commit waits for (decision 106)."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event

from messaging.database_limits import CONNECTION_WITHIN, LOCK_WITHIN_MS, hurries

SqliteSync = Literal["full", "normal"]
"""`full`: a commit waits for the disk, so a power cut takes nothing. `normal`: for nobody; a power cut may take the
last commits of one file and not of another. A process that is killed loses nothing either way.
"""
POOL, OVERFLOW = 8, 32
"""Connections that are kept open, and those beyond them."""
BUSY_LIMIT_MS = 30_000
"""SQLite's waiting for another process that writes."""


def sqlite_engine(url: str, sync: SqliteSync) -> Engine:
    """An engine whose transactions are begun by `Database`."""
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_LIMIT_MS / 1000, "check_same_thread": False},
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_timeout=CONNECTION_WITHIN,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would come after the first read
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={sync}")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def set_busy_limit(connection: Connection) -> None:
    """How long SQLite waits for another process, for what is done next on this connection."""
    wanted = LOCK_WITHIN_MS if hurries() else BUSY_LIMIT_MS
    if connection.info.get("busy", BUSY_LIMIT_MS) != wanted:
        connection.connection.cursor().execute(f"PRAGMA busy_timeout = {wanted}")
        connection.info["busy"] = wanted
