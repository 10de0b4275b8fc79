"""What the banner above every page shows: whether any Clerk is stuck, the money at risk, and when that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import func, select

from messaging.database import Database
from shop_manager.engine.tables import clerks

columns = clerks.c


def banner_reader(database: Database) -> Callable[[], dict[str, Any]]:
    """Returns a function that reads `{count, money_at_risk: {currency: minor units}, checked_at: ms}`.

    It reads the index of stuck Clerks only.
    """

    def read() -> dict[str, Any]:
        sums = select(columns.currency, func.count(), func.sum(columns.total))
        with database.read() as tx:
            rows: Iterable[Any] = tx.execute(sums.where(columns.stuck_kind.isnot(None)).group_by(columns.currency))
            found = {currency: (int(count), int(money or 0)) for currency, count, money in rows}
            checked_at = tx.now()
        return {
            "count": sum(count for count, _ in found.values()),
            "money_at_risk": {currency: money for currency, (_, money) in found.items()},
            "checked_at": checked_at,
        }

    return read
