"""Tells ShopManager what is in an open cart (M9): at once, then at most every two seconds, later less often.

A change that is not told at once is noted with the cart, so that the last state always arrives, whatever crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update

from domain.messages import Reply
from messaging.database import Database, Tx
from messaging.database_time import NOW
from messaging.outbox import Outbox
from messaging.turns import Dispatcher, Turn
from shop_service.order import Line, sum_of
from shop_service.queries import cart_lines, read_cart
from shop_service.store import ShopUnitOfWork, carts

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 60_000
AT_FIRST = 10
"""Reports of one cart before the pauses get longer: each is an entry in the Clerk's history."""
BATCH = 50
_SESSION: BindParameter[str] = bindparam("session")
_CART = carts.c.session == _SESSION
_REPORTED_AT = select(carts.c.reported_at, carts.c.report_due).where(_CART)
_DUE = select(carts.c.session).where(carts.c.report_due <= NOW).limit(bindparam("most"))
_NOTE = (
    update(carts)
    .where(carts.c.session == bindparam("of"))
    .values(reported_at=bindparam("reported"), report_due=bindparam("due"))
)


def pause_after(reports: int) -> int:
    """How long the next report of a cart rests after so many, in ms: 2 s, from the tenth on doubling up to 60 s."""
    return min(FIRST_PAUSE_MS << min(max(reports - AT_FIRST, 0), 10), LONGEST_PAUSE_MS)


def section(lines: Sequence[Line]) -> dict[str, Any]:
    """What the document's `order` section says of an open cart, at the prices of this moment."""
    return {"status": "open", "items": [line.as_json() for line in lines], "total": sum_of(lines)}


def report_or_note(
    tx: Tx, dispatcher: Dispatcher[ShopUnitOfWork], turn: Turn, lines: Sequence[Line], now: int
) -> list[Reply]:
    """Report the cart if its pause is over, else note when it is to be; returns the reports. Under the Clerk's lock."""
    kept = tx.execute(_REPORTED_AT, {"session": turn.clerk}).one()
    due = now if kept.reported_at is None else kept.reported_at + pause_after(turn.reports)
    if due > now:
        if kept.report_due is None:
            _note(tx, turn.clerk, kept.reported_at, due)
        return []
    _note(tx, turn.clerk, now, None)
    return dispatcher.report(tx, [(turn, section(lines))], now)


def _note(tx: Tx, session: str, reported_at: int | None, due: int | None) -> None:
    tx.execute(_NOTE, {"of": session, "reported": reported_at, "due": due})


class CartReports:
    """`tick`, called regularly, reports the carts whose time has come."""

    def __init__(self, database: Database, dispatcher: Dispatcher[ShopUnitOfWork], outbox: Outbox) -> None:
        self.database = database
        self.dispatcher = dispatcher
        self.outbox = outbox

    def tick(self) -> None:
        with self.database.look() as tx:
            due = [row.session for row in tx.execute(_DUE, {"most": BATCH})]
        if not due:
            return
        with self.database.begin() as tx:
            now = tx.lock(sorted(due))
            replies = [reply for session in due for reply in self._report(tx, session, now)]
            outbound = self.outbox.write(tx, replies, now)
        self.outbox.post(outbound)

    def _report(self, tx: Tx, session: str, now: int) -> list[Reply]:
        """Of a cart that is no longer open, nothing: it became an order meanwhile, or its time is over."""
        turns = self.dispatcher.read_waiting(tx, session)
        if not turns or turns[0].is_over(now):
            _note(tx, session, None, None)
            return []
        _note(tx, session, now, None)
        return self.dispatcher.report(tx, [(turns[0], section(cart_lines(read_cart(tx, session))))], now)
