"""Carries out bulk acts, a few items at each tick and not more than their pace allows (O4).

Any ShopManager may claim the next items. An item's outcome is written in the transaction of its act, so after a
restart nothing is left out and nothing is done twice.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select, update

from domain.refusals import Refused
from domain.times import minutes
from http_api.principals import Principal
from http_api.problems import Problem
from messaging.database import Tx
from messaging.database_time import NOW
from shop_manager.operations.acts import Acts, Also, DoneAlready
from shop_manager.operations.bulk import PARKED, bulks, items
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.operations.requests import Parameters, act_of

CATCH_UP = 500
"""ms: a late tick makes up for at most so much. The pace is a maximum, no average."""
_DUE = select(bulks, NOW.label("now")).where(bulks.c.next_at <= NOW).order_by(bulks.c.next_at).limit(10)


class BulkRun:
    """`tick` is called often, and in every ShopManager."""

    def __init__(self, acts: Acts, parked_acts: ParkedActs) -> None:
        self.acts = acts
        self.parked_acts = parked_acts
        self.database = acts.manager.database

    def tick(self) -> None:
        """The items that are due of every running bulk act."""
        with self.database.look() as tx:
            running = tx.execute(_DUE).all()
        for bulk in running:
            count = self._claim(bulk)
            if count:
                self._run(bulk, count)

    def _claim(self, bulk: Any) -> int:
        """How many items are ours to do now: 0 when another one has claimed this moment."""
        pause = minutes(1) // bulk.per_minute
        since = max(bulk.next_at, bulk.now - CATCH_UP)
        count = 1 + (bulk.now - since) // pause
        with self.database.begin() as tx:
            mine = (bulks.c.id == bulk.id) & (bulks.c.next_at == bulk.next_at) & (bulks.c.status == "running")
            claimed = tx.execute(update(bulks).where(mine).values(next_at=since + count * pause)).rowcount
        return count if claimed else 0

    def _run(self, bulk: Any, count: int) -> None:
        left = (items.c.bulk == bulk.id) & items.c.outcome.is_(None)
        with self.database.read() as tx:
            chosen = tx.execute(select(items).where(left).order_by(items.c.number).limit(count)).all()
        for item in chosen:
            self._do(bulk, item)
        with self.database.begin() as tx:
            if tx.execute(select(items.c.number).where(left).limit(1)).first() is None:
                over = (bulks.c.id == bulk.id) & (bulks.c.status == "running")
                tx.execute(update(bulks).where(over).values(status="finished", next_at=None, finished_at=tx.now()))

    def _do(self, bulk: Any, item: Any) -> None:
        who = Principal("operator", "admin", bulk.who)
        also = _marking(bulk.id, item.number)
        try:
            if bulk.action in PARKED:
                self.parked_acts.attempt(who, item.target, bulk.action, bulk.reason, item.version, also=also)
            else:
                act = act_of(bulk.action, bulk.reason, Parameters(until=orjson.loads(bulk.params).get("until")))
                self.acts.attempt(who, item.target, act, bulk.reason, item.version, also=also)
        except DoneAlready:
            return
        except Problem as problem:
            if not problem.known.retryable:
                with self.database.begin() as tx:
                    _mark(tx, bulk.id, item.number, "failed", problem.detail)


def _marking(bulk: str, number: int) -> Also:
    def mark(tx: Tx, refused: Refused | None, now: int) -> None:
        outcome = "done" if refused is None else "skipped" if refused.code == "version_conflict" else "refused"
        _mark(tx, bulk, number, outcome, refused.detail if refused else "")

    return mark


def _mark(tx: Tx, bulk: str, number: int, outcome: str, detail: str) -> None:
    """Raises DoneAlready when the item has an outcome."""
    mine = (items.c.bulk == bulk) & (items.c.number == number) & items.c.outcome.is_(None)
    done = tx.execute(update(items).where(mine).values(outcome=outcome, detail=detail, at=tx.now()))
    if not done.rowcount:
        raise DoneAlready
