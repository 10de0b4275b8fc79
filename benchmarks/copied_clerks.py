"""One Clerk's rows in all five databases as a stencil, and as many copies of it as wanted, under new ids and times.

A stencil is what a real shop has really written, so a copy is as consistent as its original, whatever the tables are.
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

PASSING = frozenset({"outbox", "parked", "tries", "alembic_version"})
"""Tables of what is under way; a Clerk at rest has nothing there."""
IN_TEXT = re.compile(r"(?<![\dA-Za-z])1[6-9]\d{11}(?!\d)|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z")
"""A moment in ms, or as it is on the wire."""
EARLIEST, LATEST = 1_600_000_000_000, 2_000_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row with gaps: each column is a constant, or `(text for %, which values go into it)`."""

    table: str
    columns: Sequence[str]
    patterns: Sequence[tuple[str, Any] | Any]


class Stencil:
    """What five databases have of one Clerk at rest. `kind` is its name for people."""

    def __init__(self, kind: str, clerk: str, databases: Mapping[str, Database], tables: Mapping[str, Sequence[Table]]):
        self.kind = kind
        self.clerk = clerk
        self.opened_at = int(clerk.removeprefix("clk_")[:12], 16)
        self._name = clerk.removeprefix("clk_")
        self._moments: list[tuple[int, str]] = []
        self.rows = {
            service: [
                row for table in its if table.name not in PASSING for row in self._read(databases[service], table)
            ]
            for service, its in tables.items()
        }

    def _read(self, database: Database, table: Table) -> Iterator[Row]:
        with database.read() as tx:
            found = [row._asdict() for row in tx.execute(select(table))]
        numbered = {column.name for column in table.c if column.autoincrement is True}
        for row in found:
            if any(isinstance(value, str) and self._name in value for value in row.values()):
                kept = {name: value for name, value in row.items() if name not in numbered}
                yield Row(table.name, list(kept), [self._pattern(value) for value in kept.values()])

    def _pattern(self, value: Any) -> Any:
        """(pattern, picks) of a value that differs from copy to copy; the value itself where it does not."""
        if isinstance(value, int) and not isinstance(value, bool) and EARLIEST < value < LATEST:
            return (None, self._place((value, "ms")))
        if not isinstance(value, str):
            return value
        picks: list[int] = []
        parts = re.split(f"({re.escape(self._name)}|{IN_TEXT.pattern})", value)
        for index in range(1, len(parts), 2):
            picks.append(0 if parts[index] == self._name else self._place(_moment(parts[index])))
        if not picks:
            return value
        pattern = "%s".join(part.replace("%", "%%") for part in parts[::2])
        return (pattern, itemgetter(*picks) if len(picks) > 1 else picks[0])

    def _place(self, moment: tuple[int, str]) -> int:
        if moment not in self._moments:
            self._moments.append(moment)
        return self._moments.index(moment) + 1

    def values(self, name: str, shift: int) -> list[Any]:
        """What fills the gaps of one copy: its name, then each moment `shift` ms later."""
        return [name, *(at + shift if form == "ms" else _told(at + shift, form) for at, form in self._moments)]

    def copies(self, service: str, fillings: Iterable[Sequence[Any]]) -> Iterator[tuple[Row, list[tuple[Any, ...]]]]:
        """For each row of the stencil, its copies."""
        every = list(fillings)
        for row in self.rows[service]:
            yield row, [tuple(_filled(pattern, values) for pattern in row.patterns) for values in every]


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


def _told(moment: int, form: str) -> str:
    text = to_wire(moment)
    return text if form == "wire" else f"{text[:19]}Z"
