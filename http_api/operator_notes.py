"""The tables that note something of an operator, and since when: a row each, while it is so."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table


def first_passwords_table(metadata: MetaData) -> Table:
    """Who must choose a password of their own: the one they have, somebody else has seen."""
    return _notes(metadata, "first_passwords")


def long_logins_table(metadata: MetaData) -> Table:
    """Who stays logged in for long: viewers of a screen on a wall, before which nobody sits."""
    return _notes(metadata, "long_logins")


def _notes(metadata: MetaData, name: str) -> Table:
    """Times are ms."""
    return Table(
        name,
        metadata,
        Column("operator", String(128), primary_key=True),
        Column("since", BigInteger, nullable=False),
    )
