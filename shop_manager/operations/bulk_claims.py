"""Whose claimed Clerks are in a bulk act, as claims are now: whoever has one is named before anything is done to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from domain.times import to_wire
from messaging.database import Tx
from shop_manager.engine.tables import COUNTS, clerks, operations_schema
from shop_manager.operations.claim_rows import read_claims, table

items = operations_schema.bulk_items


def claimed_in(tx: Tx, bulk: str) -> list[dict[str, Any]]:
    """`{who, count}` of each operator who has some of its Clerks, the most first."""
    count = func.count().label("count")
    joined = select(table.c.who, count).join(clerks, COUNTS).join(items, items.c.target == clerks.c.id)
    rows = tx.execute(joined.where(items.c.bulk == bulk).group_by(table.c.who).order_by(count.desc(), table.c.who))
    return [{"who": who, "count": have} for who, have in rows]


def with_claims_of(tx: Tx, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items, each with its `claim` as in the lines of Clerks, or null."""
    claims, now = read_claims(tx, [line["target"] for line in lines]), tx.now()
    found = {clerk: claim.as_json(now) for clerk, claim in claims.items()}
    return [{**line, "claim": found.get(line["target"])} for line in lines]


def of_others(tx: Tx, ids: Sequence[str], operator: str) -> dict[str, str]:
    """By id, who else has it: `operator` is the key of one's own claims."""
    others = {clerk: claim for clerk, claim in read_claims(tx, ids).items() if claim.who_key != operator}
    return {clerk: f"left out: {claim.who} has it since {to_wire(claim.at)[:19]}Z" for clerk, claim in others.items()}
