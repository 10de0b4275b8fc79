"""The table of operators who stay logged in for long: viewers of a screen on a wall, before which nobody sits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table


def long_logins_table(metadata: MetaData) -> Table:
    """Puts `long_logins` into the metadata. Times are ms."""
    return Table(
        "long_logins",
        metadata,
        Column("operator", String(128), primary_key=True),
        Column("since", BigInteger, nullable=False),
    )
