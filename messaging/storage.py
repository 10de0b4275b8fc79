"""How PostgreSQL keeps rows, for migrations: SQLite has no such choices, and there nothing happens."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

_HAS_LZ4 = text("SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")


def pack_with_lz4(table: str, column: str) -> None:
    """Values that are too long for their page are packed with lz4 from now on, where the server was built with it: that
    takes a fraction of the time of PostgreSQL's own packing. What is packed already can be read as before.
    """
    if _on_postgresql() and op.get_bind().execute(_HAS_LZ4).scalar():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION lz4")


def pack_as_ever(table: str, column: str) -> None:
    if _on_postgresql():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION default")


def leave_room(table: str, percent: int | None) -> None:
    """New rows fill pages only so far: a row's next version finds room beside it, and indexes are left alone.

    None: as PostgreSQL does by itself.
    """
    if _on_postgresql():
        op.execute(f"ALTER TABLE {table} " + (f"SET (fillfactor = {percent})" if percent else "RESET (fillfactor)"))


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
