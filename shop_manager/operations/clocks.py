"""In which time an operator reads the pages: that of their own place, or UTC."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import select

from http_api.principals import Principal
from http_api.problems import invalid
from messaging.database import Database
from shop_manager.engine.tables import operations_schema

Clock = Literal["local", "utc"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)
USUAL: Clock = "local"
"""Of whoever has chosen nothing."""
table = operations_schema.clocks


class Clocks:
    """Each operator chooses for themselves only."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, who: Principal) -> Clock:
        mine = select(table.c.clock).where(table.c.operator == who.stable_name)
        with self.database.read() as tx:
            found = tx.execute(mine).scalar_one_or_none()
        return next((clock for clock in CLOCKS if clock == found), USUAL)

    def choose(self, who: Principal, clock: str) -> None:
        """Problem 422 for one that there is not."""
        if clock not in CLOCKS:
            raise invalid("clock", f"{clock[:40]!r} is none: allowed are {' and '.join(CLOCKS)}")
        with self.database.begin() as tx:
            tx.upsert(table, [{"operator": who.stable_name, "clock": clock}], ["operator"])
