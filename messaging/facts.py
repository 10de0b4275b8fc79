"""What `clerk verify` reads in the technical tables that every participant has, as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    literal,
    select,
    tuple_,
    union,
)

from messaging.database import Tx
from messaging.statements import KEYS
from messaging.turns import State

TEXTS_AT_ONCE = 200
_OF_OUR_OWN = re.compile("clk_[0-9a-f]{32}")


class Span(list[str]):
    """Ids of Clerks in their order, all that there were from the first to the last when they were read."""


def as_span(ids: list[str]) -> list[str]:
    """A page of all ids as a span. Only ids as we make them: of others, each database may have an order of its own."""
    return Span(ids) if ids and all(map(_OF_OUR_OWN.fullmatch, ids)) else ids


class TurnFacts(NamedTuple):
    """A service's part in one step. `updated_at` in ms, by the service's own database."""

    step: str
    state: State
    name: str
    attempt: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """One delivery that is not known to be sent. `body` is the packed JSON list."""

    number: int
    body: bytes
    written_at: int


@dataclass(frozen=True, slots=True)
class ParkedFacts:
    """One parked message; `message` is its id where it could be read that far, `sender` and `forged` as in `parked`."""

    id: str
    service: str
    queue: str
    reason: str
    message: str | None
    body: bytes
    size: int
    first_at: int
    poison: bool
    sender: str | None = None
    forged: bool = False


@dataclass(frozen=True, slots=True)
class TextFacts:
    """One text somewhere in a database. `row` is its row's key, `beside` are all texts of the row, by column."""

    table: str
    column: str
    row: str
    text: str
    beside: Mapping[str, Any]

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}"


def rows_of(tx: Tx, wanted: Select[Any], column: Column[Any], clerks: Sequence[str]) -> Sequence[Any]:
    """The rows of a select in which the column names one of these Clerks.

    Of a span they are found in one walk through the column's index; of a Clerk that has come in between there may be
    rows too.
    """
    if isinstance(clerks, Span):
        return tx.execute(_between(wanted, column), {"first": clerks[0], "last": clerks[-1]}).all()
    return tx.execute(_among(wanted, column), {"keys": clerks}).all()


@cache
def _between(wanted: Select[Any], column: Column[Any]) -> Select[Any]:
    return wanted.where(column.between(bindparam("first"), bindparam("last")))


@cache
def _among(wanted: Select[Any], column: Column[Any]) -> Select[Any]:
    return wanted.where(column.in_(KEYS))


def read_turns(tx: Tx, table: Table, clerks: Sequence[str]) -> dict[str, dict[str, TurnFacts]]:
    """The turns of these Clerks, by Clerk and step."""
    found: dict[str, dict[str, TurnFacts]] = {}
    for clerk, *turn in rows_of(tx, _turns_in(table), table.c.clerk, clerks):
        found.setdefault(clerk, {})[turn[0]] = TurnFacts._make(turn)
    return found


@cache
def _turns_in(table: Table) -> Select[Any]:
    columns = table.c
    return select(columns.clerk, columns.step, columns.state, columns.name, columns.attempt, columns.updated_at)


def ids_after(tx: Tx, columns: Iterable[Column[Any]], after: str, most: int) -> list[str]:
    """The next ids behind `after` that stand in any of these columns, each once, in the database's own order.

    At most so many; an empty list is the end. Each column is the first of an index, so no page costs more than another.
    """
    rows = tx.execute(_ids_behind(tuple(columns)), {"after": after, "most": most})
    return [row[0] for row in rows]


@cache
def _ids_behind(columns: Sequence[Column[Any]]) -> Select[Any]:
    after, most = bindparam("after", type_=String), bindparam("most", type_=Integer)
    each = [
        select(select(column.label("id")).where(column > after).distinct().order_by(column).limit(most).subquery().c.id)
        for column in columns
    ]
    together = union(*each).subquery()
    return select(together.c.id).order_by(together.c.id).limit(most)


def read_outbox(tx: Tx, table: Table, after: int, most: int) -> list[OutboxFacts]:
    """The next deliveries behind the number `after`."""
    rows = tx.execute(_outbox_behind(table), {"after": after, "most": most})
    return [OutboxFacts(number, bytes(body), written_at) for number, body, written_at in rows]


def has_unsent(tx: Tx, table: Table) -> bool:
    return tx.execute(_first_number(table)).first() is not None


def read_parked(tx: Tx, table: Table, after: str, most: int) -> list[ParkedFacts]:
    """The next parked messages behind the id `after`."""
    rows = tx.execute(_parked_behind(table), {"after": after, "most": most})
    return [
        ParkedFacts(
            row.id,
            row.service,
            row.queue,
            row.reason,
            row.message,
            bytes(row.body),
            row.size,
            row.first_at,
            bool(row.killer),
            row.sender,
            bool(row.forged),
        )
        for row in rows
    ]


def known_parked(tx: Tx, table: Table, ids: Sequence[str]) -> set[str]:
    """Those of the ids that are parked here."""
    return {row[0] for row in tx.execute(_parked_among(table), {"keys": ids})}


@cache
def _outbox_behind(table: Table) -> Select[Any]:
    columns = table.c
    behind = select(columns.number, columns.body, columns.written_at).where(columns.number > bindparam("after"))
    return behind.order_by(columns.number).limit(bindparam("most"))


@cache
def _first_number(table: Table) -> Select[Any]:
    return select(table.c.number).limit(1)


@cache
def _parked_behind(table: Table) -> Select[Any]:
    return select(table).where(table.c.id > bindparam("after")).order_by(table.c.id).limit(bindparam("most"))


@cache
def _parked_among(table: Table) -> Select[Any]:
    return select(table.c.id).where(table.c.id.in_(KEYS))


def texts(tx: Tx, metadata: MetaData) -> Iterator[TextFacts]:
    """Every text in every table, table by table and page by page; bytes as far as they are text."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        told = [column for column in table.c if isinstance(column.type, (String, Text, LargeBinary))]
        after: tuple[Any, ...] | None = None
        while told and (rows := _page(tx, keys, told, after)):
            for row in rows:
                yield from _texts_of(table.name, tuple(row), len(keys), told)
            after = tuple(rows[-1])[: len(keys)]


def _page(
    tx: Tx, keys: Sequence[Column[Any]], told: Sequence[Column[Any]], after: tuple[Any, ...] | None
) -> Sequence[Any]:
    columns = [column.label(f"c{number}") for number, column in enumerate([*keys, *told])]
    page = select(*columns).order_by(*keys).limit(TEXTS_AT_ONCE)
    if after is not None:
        page = page.where(tuple_(*keys) > tuple_(*map(literal, after)))
    return tx.execute(page).all()


def _texts_of(table: str, row: tuple[Any, ...], keys: int, told: Sequence[Column[Any]]) -> Iterator[TextFacts]:
    name = "/".join(map(str, row[:keys]))
    beside = dict(zip((column.name for column in told), row[keys:], strict=True))
    for column, value in beside.items():
        if value is not None:
            text = value if isinstance(value, str) else bytes(value).decode(errors="replace")
            yield TextFacts(table, column, name, text, beside)
