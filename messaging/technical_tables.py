"""The technical tables that every participant's database has beside its business tables."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import MetaData, Table

from messaging.outbox import outbox_table
from messaging.parked import parked_table, tries_table


@dataclass(frozen=True)
class TechnicalTables:
    """Outbox, parked messages and tries. Services have `turns` besides (turns.py); ShopManager has its Clerks."""

    outbox: Table
    parked: Table
    tries: Table


def technical_tables(metadata: MetaData) -> TechnicalTables:
    return TechnicalTables(outbox_table(metadata), parked_table(metadata), tries_table(metadata))
