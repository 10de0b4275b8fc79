"""The tables of alerts: what is known of each cause of being stuck, and what is told of it, to each channel."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text


class AlertTables(NamedTuple):
    causes: Table
    deliveries: Table


def alert_tables(metadata: MetaData) -> AlertTables:
    """Puts them into the metadata. Moments are ms.

    `alert_deliveries` is an outbox: a row for each alert and channel, which is tried again at `next_at` while it is
    `waiting`. Of one cause (`about`) a channel gets them in the order of their numbers.
    """
    causes = Table(
        "alert_causes",
        metadata,
        Column("process", String(64), primary_key=True),
        Column("step", String(128), primary_key=True),
        Column("kind", String(32), primary_key=True),
        Column("code", String(128), primary_key=True),
        Column("service", String(64)),
        Column("since", BigInteger, nullable=False),
        Column("gone_at", BigInteger),
        Column("told_at", BigInteger),
        Column("told_count", Integer, nullable=False),
        Column("episode", String(40), nullable=False),
    )
    deliveries = Table(
        "alert_deliveries",
        metadata,
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("alert", String(40), nullable=False, index=True),
        Column("channel", String(16), nullable=False),
        Column("about", String(40), nullable=False),
        Column("what", String(16), nullable=False),
        Column("body", Text, nullable=False),
        Column("state", String(16), nullable=False),
        Column("at", BigInteger, nullable=False, index=True),
        Column("tries", Integer, nullable=False),
        Column("next_at", BigInteger),
        Column("failed_at", BigInteger),
        Column("trouble", Text, nullable=False),
        Column("done_at", BigInteger),
    )
    waiting = deliveries.c.next_at.isnot(None)
    Index(
        "alert_deliveries_waiting",
        deliveries.c.channel,
        deliveries.c.number,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    return AlertTables(causes, deliveries)
