"""What stands above every page: is anything stuck, and when was that looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import func, select

from messaging.database import Database
from shop_manager.store import clerks

columns = clerks.c


def pulse_of(database: Database) -> Callable[[], dict[str, Any]]:
    """Reads `{count, money_at_risk: {currency: minor units}, checked_at: ms}` over the index of what is stuck."""

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
