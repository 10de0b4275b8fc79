"""Up to which moment all is written: for lists that somebody reads on from where the last reading ended.

Transactions may commit in another order than that of their times (T4). Whoever has read up to the later one would never
come back for the earlier one, so such a list shows only what is older than the oldest transaction that still writes.
"""

from __future__ import annotations

from sqlalchemy import text

from messaging.database import Database

_OLDEST_WRITER = text(
    "SELECT floor(extract(epoch FROM min(xact_start)) * 1000)::bigint "
    "FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def settled_at(database: Database) -> int:
    """A moment in ms: what was written at an earlier one, is seen by every transaction that begins after this call.

    Whoever writes takes its time under an advisory lock (`Tx.lock`), and keeps that lock until it has committed. So a
    writer that is not among the locks has a time that is not before ours, or has committed. SQLite has one writer at a
    time. Where the clock is put back, nothing is promised.
    """
    with database.read() as tx:
        now = tx.now()  # before the locks are read
        if database.dialect == "sqlite":
            return now
        begun = tx.execute(_OLDEST_WRITER).scalar_one()
    return now if begun is None else min(now, int(begun))
