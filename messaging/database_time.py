"""The database's own time (T4) inside a statement, so that what is due is found in one round trip."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

SQLITE_NOW = "clerk_now"
"""The SQL function that each connection to SQLite has: the process's time."""


class _Now(ColumnElement[int]):
    inherit_cache = True
    type = BigInteger()


NOW = _Now()
"""In ms: when the statement began. For statements without locks; `Tx.lock` gives the time after those."""


@compiles(_Now, "postgresql")
def _postgres_now(*_arguments: Any, **_named: Any) -> str:
    """As the transaction's time does not change within a statement, an index can be searched by it."""
    return "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"


@compiles(_Now, "sqlite")
def _sqlite_now(*_arguments: Any, **_named: Any) -> str:
    return f"{SQLITE_NOW}()"
