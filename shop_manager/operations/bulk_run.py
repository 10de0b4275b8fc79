"""Carries out bulk acts, a few items at each tick and no more than their pace allows, and follows them to the end (O4).

Any ShopManager may claim the next items, and the next look at those that were asked. What was asked is written in the
transaction of the act, and the outcome while it is still open, so after a restart nothing is left out or done twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import func, select, update

from domain.times import minutes, seconds
from http_api.principals import Principal
from http_api.problems import Problem
from messaging.database import Tx
from messaging.database_time import NOW
from shop_manager.engine import store
from shop_manager.operations.acts import Acts, Also, Attempted, DoneAlready
from shop_manager.operations.bulk import PARKED, bulks, items
from shop_manager.operations.bulk_outcome import Asked, Became, at_once, became, is_as_it_was
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.operations.parked_reads import clerks_of
from shop_manager.operations.requests import Parameters, act_of

CATCH_UP = 500
"""ms: a late tick makes up for at most so much. The pace is a maximum, no average."""
FOLLOW_EVERY = seconds(1)
"""ms between two looks at what has become of those that were asked."""
AT_A_TIME = 200
"""Clerks read at once."""
_DUE = select(bulks, NOW.label("now")).where(bulks.c.next_at <= NOW).order_by(bulks.c.next_at).limit(10)
_TO_FOLLOW = select(bulks, NOW.label("now")).where(bulks.c.follow_at <= NOW).order_by(bulks.c.follow_at).limit(10)


class BulkRun:
    """`tick` is called often, and in every ShopManager."""

    def __init__(self, acts: Acts, parked_acts: ParkedActs) -> None:
        self.acts = acts
        self.parked_acts = parked_acts
        self.database = acts.manager.database

    def tick(self) -> None:
        """The items that are due of every running bulk act, and what has become of those before them."""
        with self.database.look() as tx:
            running, followed = tx.execute(_DUE).all(), tx.execute(_TO_FOLLOW).all()
        for bulk in running:
            count = self._claim(bulk)
            if count:
                self._run(bulk, count)
        for bulk in followed:
            self._follow(bulk)

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
            _go_on(tx, bulk.id)

    def _follow(self, bulk: Any) -> None:
        """Write what has become of those that were asked, as far as it is known."""
        next_look = bulk.now + FOLLOW_EVERY
        with self.database.begin() as tx:
            mine = (bulks.c.id == bulk.id) & (bulks.c.follow_at == bulk.follow_at)
            if not tx.execute(update(bulks).where(mine).values(follow_at=next_look)).rowcount:
                return
        asked = (items.c.bulk == bulk.id) & (items.c.outcome == "asked")
        with self.database.read() as tx:
            open_items = tx.execute(select(items).where(asked).order_by(items.c.number)).all()
        for first in range(0, len(open_items), AT_A_TIME):
            self._look_at(bulk, open_items[first : first + AT_A_TIME])
        with self.database.begin() as tx:
            if tx.execute(select(items.c.number).where(asked).limit(1)).first() is None:
                seen = (bulks.c.id == bulk.id) & (bulks.c.follow_at == next_look)  # nothing was asked since
                tx.execute(update(bulks).where(seen).values(follow_at=None))
            _go_on(tx, bulk.id)

    def _look_at(self, bulk: Any, some: Sequence[Any]) -> None:
        with self.database.read() as tx:
            targets = [item.target for item in some]
            clerks = clerks_of(tx, targets) if bulk.action in PARKED else dict(zip(targets, targets, strict=True))
            found = store.read(tx, list(clerks.values()))
        known = [
            (item.number, became(Asked(*orjson.loads(item.asked)), found[clerks[item.target]].saga)) for item in some
        ]
        with self.database.begin() as tx:
            for number, outcome in known:
                if outcome:
                    _mark(tx, bulk.id, number, outcome, was="asked")

    def _do(self, bulk: Any, item: Any) -> None:
        who = Principal("operator", "admin", bulk.who)
        also = _marking(bulk.id, bulk.action, item.number)
        try:
            if bulk.action in PARKED:
                self.parked_acts.attempt(
                    who, item.target, bulk.action, bulk.reason, item.version, also=also, bulk=bulk.id
                )
            else:
                act = act_of(bulk.action, bulk.reason, Parameters(until=orjson.loads(bulk.params).get("until")))
                self.acts.attempt(who, item.target, act, bulk.reason, self._version(item), also=also, bulk=bulk.id)
        except DoneAlready:
            return
        except Problem as problem:
            if not problem.known.retryable:
                with self.database.begin() as tx:
                    if not _mark(tx, bulk.id, item.number, Became("failed", problem.detail)):
                        return

    def _version(self, item: Any) -> int:
        """The version that the act is for: that of the preview, or a later one of a Clerk that is as it was then."""
        with self.database.read() as tx:
            since = store.read_history(tx, item.target, after=item.version)
        as_it_was = since and is_as_it_was(entry for _, entry in since)
        return since[-1][0] if as_it_was else int(item.version)


def _marking(bulk: str, action: str, number: int) -> Also:
    """Raises DoneAlready when the item has an outcome."""

    def mark(tx: Tx, attempted: Attempted, now: int) -> None:
        found = _found(action, attempted)
        if isinstance(found, Became):
            marked = _mark(tx, bulk, number, found)
        else:
            marked = _mark(tx, bulk, number, Became("asked", ""), found)
            tx.execute(update(bulks).where(bulks.c.id == bulk).values(follow_at=now))
        if not marked:
            raise DoneAlready

    return mark


def _found(action: str, attempted: Attempted) -> Became | Asked:
    refused = attempted.refused
    if refused:
        return Became("changed" if refused.code == "version_conflict" else "not_allowed", refused.detail)
    if attempted.before is None or attempted.after is None:
        return Became("done", "")
    return at_once(action, attempted.before, attempted.after)


def _mark(tx: Tx, bulk: str, number: int, found: Became, asked: Asked | None = None, *, was: str | None = None) -> bool:
    """False when the item has another outcome than it had (`was`) by now."""
    mine = (items.c.bulk == bulk) & (items.c.number == number) & items.c.outcome.is_not_distinct_from(was)
    values: dict[str, Any] = {"outcome": found.outcome, "detail": found.detail, "at": tx.now()}
    if asked:
        values["asked"] = orjson.dumps(list(asked)).decode()
    return bool(tx.execute(update(items).where(mine).values(**values)).rowcount)


def _go_on(tx: Tx, bulk: str) -> None:
    """Nobody is left to be asked: it is followed; nothing is open any more: it is finished."""
    counts: dict[Any, int] = dict(
        tx.execute(select(items.c.outcome, func.count()).where(items.c.bulk == bulk).group_by(items.c.outcome)).all()
    )
    if counts.get(None):
        return
    under_way = (bulks.c.id == bulk) & bulks.c.status.in_(("running", "stopped", "following"))
    if counts.get("asked"):
        tx.execute(update(bulks).where(under_way).values(status="following", next_at=None))
    else:
        over = {"status": "finished", "next_at": None, "follow_at": None, "finished_at": tx.now()}
        tx.execute(update(bulks).where(under_way).values(**over))
