"""Enters by which terms Clerks and customers are found, in the transaction in which these become known.

Most turns of an order add none, and cost nothing; to PostgreSQL the rows travel with what is written anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, tuple_

from domain.document import Document
from messaging.database import Tx
from shop_manager.engine.search_terms import Hashed, Term, changed_terms, terms_of
from shop_manager.engine.tables import search_schema
from shop_manager.saga.state import Saga

table = search_schema.terms
KEYS = ("kind", "term", "rank", "target")
_PLACE = tuple_(*(table.c[name] for name in KEYS))


class SearchIndex:
    """`hashed` is the keyed hash of what is personal; without one nothing personal is entered."""

    def __init__(self, hashed: Hashed | None = None) -> None:
        self.hashed = hashed

    def follow(self, tx: Tx, changes: Sequence[tuple[Document, Saga]]) -> None:
        """Clerks were written: (the document before, `{}` of a new one, and the saga as it is now)."""
        new: list[dict[str, Any]] = []
        gone: list[dict[str, Any]] = []
        for before, saga in changes:
            if before is not saga.document:
                change = changed_terms(before, saga.document, self.hashed)
                new += rows_of(change.new, saga.id, -saga.opened_at)
                gone += rows_of(change.gone, saga.id, -saga.opened_at)
        self.change(tx, new, gone)

    def enter(self, tx: Tx, sagas: Iterable[Saga]) -> None:
        """Enter Clerks that may be there already, or in part."""
        found = [(saga, terms_of(saga.document, self.hashed)) for saga in sagas]
        self.change(tx, [row for saga, terms in found for row in rows_of(terms, saga.id, -saga.opened_at)])

    def change(self, tx: Tx, new: Sequence[dict[str, Any]], gone: Sequence[dict[str, Any]] = ()) -> None:
        """Enter rows, those that are there already too, and take others away."""
        tx.insert_missing(table, new, KEYS)
        if gone:
            tx.execute(delete(table).where(_PLACE.in_([tuple(row[name] for name in KEYS) for row in gone])))


def rows_of(terms: Iterable[Term], target: str, rank: int) -> list[dict[str, Any]]:
    """In one order everywhere, so that two transactions do not wait for each other."""
    return [{"kind": kind, "term": term, "rank": rank, "target": target} for kind, term in sorted(terms)]
