"""Copies of a Clerk's rows in all five databases, under new ids and times, for benchmarks over large shops.

A `Template` is made of the rows that a real shop wrote, so a copy is as consistent as its original.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, select

from domain.times import from_wire, to_wire
from messaging.database import Database

TRANSIENT = frozenset({"outbox", "parked", "tries", "alembic_version"})
"""Tables of what is under way: a Clerk at rest has no rows there."""
IN_TEXT = re.compile(r"(?<![\dA-Za-z])1[6-9]\d{11}(?!\d)|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z")
"""A moment in ms, or as text on the wire."""
EARLIEST, LATEST = 1_600_000_000_000, 2_000_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a template: each column is a constant, or `(pattern for %, which values go into it)`."""

    table: str
    columns: Sequence[str]
    patterns: Sequence[tuple[str, Any] | Any]


class Template:
    """The rows that five databases have of one Clerk at rest. `kind`: what Clerk it is, e.g. `completed`."""

    def __init__(self, kind: str, clerk: str, databases: Mapping[str, Database], tables: Mapping[str, Sequence[Table]]):
        self.kind = kind
        self.clerk = clerk
        self.opened_at = int(clerk.removeprefix("clk_")[:12], 16)
        self._name = clerk.removeprefix("clk_")
        self._moments: list[tuple[int, str]] = []
        self.rows = {
            service: [
                row for table in its if table.name not in TRANSIENT for row in self._read(databases[service], table)
            ]
            for service, its in tables.items()
        }

    def _read(self, database: Database, table: Table) -> Iterator[Row]:
        with database.read() as tx:
            found = [row._asdict() for row in tx.execute(select(table))]
        own = {column.name for column in table.c if column.autoincrement is True or column.computed is not None}
        for row in found:
            if any(isinstance(value, str) and self._name in value for value in row.values()):
                kept = {name: value for name, value in row.items() if name not in own}
                yield Row(table.name, list(kept), [self._pattern(value) for value in kept.values()])

    def _pattern(self, value: Any) -> Any:
        """(pattern, picks) of a value that differs from copy to copy; the value itself where it does not."""
        if isinstance(value, int) and not isinstance(value, bool) and EARLIEST < value < LATEST:
            return (None, self._index_of((value, "ms")))
        if not isinstance(value, str):
            return value
        picks: list[int] = []
        parts = re.split(f"({re.escape(self._name)}|{IN_TEXT.pattern})", value)
        for index in range(1, len(parts), 2):
            picks.append(0 if parts[index] == self._name else self._index_of(_moment(parts[index])))
        if not picks:
            return value
        pattern = "%s".join(part.replace("%", "%%") for part in parts[::2])
        return (pattern, itemgetter(*picks) if len(picks) > 1 else picks[0])

    def _index_of(self, moment: tuple[int, str]) -> int:
        if moment not in self._moments:
            self._moments.append(moment)
        return self._moments.index(moment) + 1

    def values(self, name: str, shift: int) -> list[Any]:
        """The values of one copy: its name, then each moment, `shift` ms later."""
        return [name, *(at + shift if form == "ms" else _written(at + shift, form) for at, form in self._moments)]

    def copies(self, service: str, values: Iterable[Sequence[Any]]) -> Iterator[tuple[Row, list[tuple[Any, ...]]]]:
        """For each row of the template, its copies."""
        every = list(values)
        for row in self.rows[service]:
            yield row, [tuple(_filled(pattern, each) for pattern in row.patterns) for each in every]


def _filled(pattern: Any, values: Sequence[Any]) -> Any:
    if type(pattern) is not tuple:
        return pattern
    text, picks = pattern
    if text is None:
        return values[picks]
    return text % (values[picks] if type(picks) is int else picks(values))


def _moment(text: str) -> tuple[int, str]:
    if text.isdigit():
        return int(text), "ms"
    return from_wire(text), "wire" if "." in text else "seconds"


def _written(moment: int, form: str) -> str:
    text = to_wire(moment)
    return text if form == "wire" else f"{text[:19]}Z"
