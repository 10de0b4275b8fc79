"""Finds the Clerks of a list: filters, order and pages, so that no page reads more than a bounded number of rows.

Of the given filters the most selective one that has an index bounds the search; the others are applied to what it
finds, at most SCAN rows at a time. A page may so be shorter than asked for and still have a next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, tuple_, union_all

from http_api.conventions import decode_cursor, encode_cursor
from http_api.problems import invalid
from messaging.database import Tx
from shop_manager.engine.tables import COUNTS, clerks, operations_schema
from shop_manager.saga.state import ENDED
from shop_manager.sessions.view import PublicStatus

SCAN = 5_000
FEW = 5_000
"""So many that have ended since a moment are read through."""
LIVE = ("running", "undoing")
Condition = ColumnElement[bool]
columns = clerks.c
claims = operations_schema.claims


@dataclass(frozen=True, slots=True)
class Several:
    """Any of these, of which no two hold together: each has an index of its own, and is searched by itself."""

    each: tuple[Condition, ...]


_IS_LIVE = Several(tuple(columns.status == status for status in LIVE))
Indexed = Sequence[Condition | Several]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which Clerks a list holds; None: any. `stuck` False means those that are not. Moments in ms, those of
    creation both exclusive, `updated_since` inclusive. `mine`: those that `operator` (the key of
    their claims) has claimed; False means all others.
    """

    status: PublicStatus | None = None
    stuck: bool | None = None
    kind: str | None = None
    code: str | None = None
    step: str | None = None
    process: str | None = None
    shop: str | None = None
    customer: str | None = None
    client_reference: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    updated_since: int | None = None
    mine: bool | None = None
    operator: str = ""

    def older_than(self, age: int | None, now: int) -> Filter:
        """Only Clerks of at least this age (ms); None: of any."""
        return self if age is None else replace(self, created_before=now - age)


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A column that has an index, and which way. `of`: the rows that have a place in this order."""

    column: ColumnElement[Any]
    descending: bool
    of: Condition | None = None


NEWEST = SortOrder(columns.opened_at, descending=True)
ORDERS: dict[str, SortOrder] = {
    "-created_at": NEWEST,
    "created_at": SortOrder(columns.opened_at, descending=False),
    "-stuck_since": SortOrder(columns.stuck_since, True, columns.stuck_kind.isnot(None)),
    "stuck_since": SortOrder(columns.stuck_since, False, columns.stuck_kind.isnot(None)),
    "-next_wake_at": SortOrder(columns.wake_at, True, columns.wake_at.isnot(None)),
    "next_wake_at": SortOrder(columns.wake_at, False, columns.wake_at.isnot(None)),
}
"""What `sort` may be; a minus means the largest first."""


def page_of(
    tx: Tx, wanted: Filter, order: SortOrder, *, limit: int, cursor: str | None, first_steps: Sequence[str]
) -> tuple[list[str], str | None]:
    """(ids of the page in order, the next page's cursor or None). Problem 422 for a broken cursor.

    `first_steps` are the names of the steps at which a session is `open`.
    """
    by_index, others = _conditions(wanted, order, first_steps, _few_ended(tx, wanted.updated_since))
    if cursor is not None:
        by_index = [*by_index, _beyond(order, _place(order, cursor))]
    found = _search(tx, order, by_index, others, limit + 1)
    if len(found) > limit:
        return [row.id for row in found[:limit]], _cursor(order, found[limit - 1])
    ids = [row.id for row in found]
    horizon = _candidates(order, by_index).offset(SCAN - 1).limit(1) if others else None
    last = tx.execute(horizon).first() if horizon is not None else None
    return ids, _cursor(order, last) if last else None


def count_of(tx: Tx, wanted: Filter, order: SortOrder, *, most: int, first_steps: Sequence[str]) -> tuple[int, bool]:
    """(how many fit, at most `most`; may there be more). It reads no more than a page does."""
    by_index, others = _conditions(wanted, order, first_steps, _few_ended(tx, wanted.updated_since))
    found = len(_search(tx, order, by_index, others, most + 1))
    if found > most or not others:
        return min(found, most), found > most
    return found, tx.execute(_candidates(order, by_index).offset(SCAN).limit(1)).first() is not None


def _cursor(order: SortOrder, row: Any) -> str:
    return encode_cursor((row.place, row.id, _name(order)))


def _name(order: SortOrder) -> str:
    return f"{'-' if order.descending else ''}{order.column.key}"


def _place(order: SortOrder, cursor: str) -> tuple[int, str]:
    """(place, id) of the last row; Problem 422 for a cursor of a list in another order, whose places are others."""
    place, last, of = decode_cursor(cursor, (int, str, str))
    if of != _name(order):
        raise invalid("cursor", "it is of a list in another order: take it from `next_cursor` of the page before")
    return place, last


def _search(tx: Tx, order: SortOrder, by_index: Indexed, others: Sequence[Condition], most: int) -> list[Any]:
    candidates = _candidates(order, by_index)
    if not others:
        return list(tx.execute(candidates.limit(most)))
    near = candidates.limit(SCAN).subquery()
    chosen = select(near.c.id, near.c.place).join(clerks, columns.id == near.c.id).where(*others)
    return list(tx.execute(chosen.order_by(*_directed(order, near.c.place, near.c.id)).limit(most)))


def _candidates(order: SortOrder, by_index: Indexed) -> Select[Any]:
    conditions = [each for each in by_index if not isinstance(each, Several)]
    for several in by_index:
        if isinstance(several, Several):
            return _of_each(order, several, conditions)
    rows = select(columns.id, order.column.label("place")).where(*conditions)
    return rows.order_by(*_directed(order, order.column, columns.id))


def _of_each(order: SortOrder, several: Several, others: Sequence[Condition]) -> Select[Any]:
    """Of each the first SCAN in the order of its index, and then these in one order: not all that live are sorted."""
    each = [_candidates(order, [one, *others]).limit(SCAN).subquery() for one in several.each]
    rows = union_all(*(select(some.c.id, some.c.place) for some in each)).subquery()
    return select(rows.c.id, rows.c.place).order_by(*_directed(order, rows.c.place, rows.c.id))


def _directed(order: SortOrder, *by: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [column.desc() if order.descending else column.asc() for column in by]


def _beyond(order: SortOrder, place: tuple[Any, ...]) -> Condition:
    here = tuple_(order.column, columns.id)
    return here < tuple_(*place) if order.descending else here > tuple_(*place)


def _few_ended(tx: Tx, since: int | None) -> bool:
    """Have so few ended since then that these are the shortest way? Of many, walking through the newest finds some."""
    if since is None:
        return False
    some = select(literal(1)).where(columns.ended_at >= since).limit(FEW + 1).subquery()
    found: int = tx.execute(select(func.count()).select_from(some)).scalar_one()
    return found <= FEW


def _conditions(
    wanted: Filter, order: SortOrder, first_steps: Sequence[str], few_ended: bool
) -> tuple[list[Condition | Several], list[Condition]]:
    """(those that the index is chosen by, the others). Moments go with the index when it is ordered by them."""
    selective, others = _by_index(wanted, few_ended), _others(wanted, first_steps)
    moments = _moments(wanted)
    chosen: list[Condition | Several] = [] if order.of is None else [order.of]
    if order.of is None and selective:
        chosen.append(selective.pop(0))
    by_moment = moments if order.column is columns.opened_at else []
    rest = [] if by_moment else moments
    left = [or_(*each.each) if isinstance(each, Several) else each for each in selective]
    return [*chosen, *by_moment], [*left, *others, *rest]


def _by_index(wanted: Filter, few_ended: bool) -> list[Condition | Several]:
    """Conditions with an index of their own, the most selective first."""
    conditions: list[Condition | Several] = []
    if wanted.client_reference is not None:
        conditions.append(columns.client_reference == wanted.client_reference)
    if wanted.stuck or wanted.kind is not None or wanted.code is not None:
        conditions.append(columns.stuck_kind.isnot(None))
    if wanted.customer is not None:
        conditions.append(columns.customer == wanted.customer)
    status = None if wanted.status is None else stored_status(wanted.status)
    if few_ended and wanted.step is None and status not in LIVE:
        ended = select(columns.id).where(columns.ended_at >= wanted.updated_since).limit(FEW)
        conditions.append(Several((*_IS_LIVE.each, columns.id.in_(ended))))
    if status is not None:
        conditions.append(columns.status == status)
    elif wanted.step is not None or wanted.mine:
        conditions.append(_IS_LIVE)
    return conditions


def _others(wanted: Filter, first_steps: Sequence[str]) -> list[Condition]:
    exact = {
        "stuck_kind": wanted.kind,
        "stuck_code": wanted.code,
        "step": wanted.step,
        "process": wanted.process,
        "shop": wanted.shop,
    }
    conditions: list[Condition] = [columns[name] == value for name, value in exact.items() if value is not None]
    if wanted.updated_since is not None:
        conditions.append(columns.updated_at >= wanted.updated_since)
    if wanted.stuck is False:
        conditions.append(columns.stuck_kind.is_(None))
    if wanted.mine is not None:
        claimed = exists(select(claims.c.clerk).where(COUNTS, claims.c.who_key == wanted.operator))
        conditions.append(claimed if wanted.mine else ~claimed)
    if wanted.status == "open":
        conditions += [columns.waiting_for == "customer", columns.step.in_(first_steps)]
    elif wanted.status == "requires_action":
        conditions += [columns.waiting_for == "customer", columns.step.notin_(first_steps)]
    elif wanted.status == "processing":
        conditions.append(or_(columns.waiting_for != "customer", columns.waiting_for.is_(None)))
    return conditions


def _moments(wanted: Filter) -> list[Condition]:
    conditions: list[Condition] = []
    if wanted.created_after is not None:
        conditions.append(columns.opened_at > wanted.created_after)
    if wanted.created_before is not None:
        conditions.append(columns.opened_at < wanted.created_before)
    return [and_(*conditions)] if conditions else []


def stored_status(status: PublicStatus) -> str:
    """Which stored status a public one is found under."""
    if status == "canceling":
        return "undoing"
    return status if status in ENDED else "running"
