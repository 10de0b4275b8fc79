"""The tables of the search: by which terms a Clerk or a customer is found, and how far existing ones were entered."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table

from shop_manager.engine.search_terms import LONGEST

_TERM = String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql")
"""Compared byte by byte on both databases, so that all that begins alike stands together."""


class SearchTables(NamedTuple):
    terms: Table
    fill: Table


def search_tables(metadata: MetaData) -> SearchTables:
    """Puts `search_terms` and `search_fill` into the metadata.

    `target` is the id of a Clerk, or of a customer, as the kind says; `rank` is the negative of the moment (ms) at
    which it was opened, so that of one term the latest come first; 0 for customers.
    """
    terms = Table(
        "search_terms",
        metadata,
        Column("kind", String(20), primary_key=True),
        Column("term", _TERM, primary_key=True),
        Column("rank", BigInteger, primary_key=True, autoincrement=False),
        Column("target", String(128), primary_key=True),
        sqlite_with_rowid=False,
    )
    fill = Table(
        "search_fill",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("secret", String(64), nullable=False),
        Column("customer", String(128)),
        Column("opened_at", BigInteger, nullable=False),
        Column("clerk", String(128), nullable=False),
    )
    return SearchTables(terms, fill)
