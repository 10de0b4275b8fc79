"""Statements of `Database` that are built once: building one costs more than running it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, Column, Executable, Select, Table, bindparam, delete, literal_column, select, true

KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""For statements that are built once and run often, `column.in_(KEYS)`: building one costs more than running it."""


@cache
def deletion(column: Column[Any]) -> Executable:
    return delete(column.table).where(column.in_(KEYS))


@cache
def with_time(rows: Select[Any]) -> Select[Any]:
    """The select's rows with the time beside each, and without rows one that has only the time."""
    inner = rows.add_columns(true().label("is_there")).subquery()
    time = select(literal_column(PG_NOW).label("time_after_locks")).subquery()
    return select(*inner.c, time.c.time_after_locks).select_from(time.outerjoin(inner, true()))


@cache
def numbering(table: Table, number: str) -> Executable:
    return table.insert().returning(table.c[number], sort_by_parameter_order=True)


@lru_cache(maxsize=500)
def on_conflict(columns: Sequence[str], keys: Sequence[str], only_if: str, keep: Sequence[str]) -> str:
    changed = [column for column in columns if column not in keys and column not in keep]
    conflict = "DO NOTHING"
    if changed:
        assignments = ", ".join(f"{column} = excluded.{column}" for column in changed)
        conflict = f"DO UPDATE SET {assignments}" + (f" WHERE {only_if}" if only_if else "")
    return f" ON CONFLICT ({', '.join(keys)}) {conflict}"


@lru_cache(maxsize=500)
def update_from(source: str, table: str, columns: Sequence[str], keys: Sequence[str], only_if: str) -> str:
    """The columns but the keys are set to those of `given`, which is what `source` selects."""
    assignments = ", ".join(f"{column} = given.{column}" for column in columns if column not in keys)
    where = " AND ".join([*(f"{table}.{key} = given.{key}" for key in keys), *([only_if] if only_if else [])])
    return f"UPDATE {table} SET {assignments} FROM {source} WHERE {where}"  # noqa: S608  # our own names


@cache
def insert_into(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) "


@cache
def marks(mark: str, columns: Sequence[str]) -> str:
    return ", ".join([mark] * len(columns))


PG_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
PG_LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"
PG_LOCK_THEN_NOW = f"SELECT pg_advisory_xact_lock(number), {PG_NOW} FROM unnest(%s::bigint[]) AS number"  # noqa: S608
"""In this order: a time that was taken before a lock was waited for would be old when its transaction goes on."""


def lock_number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
