"""The table of operators who must choose a password of their own: the one they have, somebody else has seen."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table


def first_passwords_table(metadata: MetaData) -> Table:
    """Puts `first_passwords` into the metadata. Times are ms."""
    return Table(
        "first_passwords",
        metadata,
        Column("operator", String(128), primary_key=True),
        Column("since", BigInteger, nullable=False),
    )
