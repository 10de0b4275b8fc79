"""Enters into the search what was there before it: customers and Clerks, a few at each tick, beside all other work.

Also after another master secret was set, for the hashes of what is personal come from it.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import delete, select, tuple_

from domain.times import days
from messaging.database import Database, Tx
from shop_manager.engine import store
from shop_manager.engine.search_index import KEYS, SearchIndex, table
from shop_manager.engine.search_terms import PERSONAL
from shop_manager.engine.tables import clerks, customers, search_schema
from shop_manager.sessions.customer_terms import follow_customer
from shop_manager.sessions.repository import customer_of_row

PORTION = 100
PORTIONS = 4
"""At one tick, each in a transaction of its own."""
AGAIN = days(1)
"""Each process enters anew what was opened so lately: a ShopManager of a version before may have opened it."""
DONE = 2**53
"""In the place of a moment: all is entered."""
fill = search_schema.fill
_PLACE = tuple_(*(table.c[name] for name in KEYS))
FillState = Literal["unknown", "other", "under_way", "done"]
"""`unknown`: no ShopManager has noted of which secret the search is; `other`: not of this one."""
_STATE = ("secret", "customer", "opened_at", "clerk")


def fill_state(tx: Tx, search: SearchIndex) -> FillState:
    """How far the search of this secret is."""
    row = tx.execute(select(fill.c.secret, fill.c.opened_at)).first()
    if row is None:
        return "unknown"
    if row.secret != _mark(search):
        return "other"
    return "done" if row.opened_at == DONE else "under_way"


def _mark(search: SearchIndex) -> str:
    """By which one secret is told from another."""
    return search.hashed("search fill") if search.hashed else ""


class SearchFill:
    """Several ShopManagers share the work. `search` has a keyed hash."""

    def __init__(self, database: Database, search: SearchIndex) -> None:
        self._database = database
        self._search = search
        self._began: int | None = None
        self.done = False

    def tick(self) -> None:
        for _ in range(PORTIONS):
            if not self.done:
                with self._database.begin() as tx:
                    self.done = self._portion(tx)

    def _portion(self, tx: Tx) -> bool:
        """True when there is no more."""
        now = tx.lock(["search fill"])
        state = self._state(tx, now)
        if state is None:
            return False
        if state["customer"] is not None:
            state["customer"] = self._customers(tx, state["customer"])
        else:
            state["opened_at"], state["clerk"] = self._clerks(tx, state["opened_at"], state["clerk"])
        tx.upsert(fill, [{"id": 1, **state}], ["id"])
        return bool(state["opened_at"] == DONE)

    def _state(self, tx: Tx, now: int) -> dict[str, Any] | None:
        """Where to go on; None while hashes from another secret have to be taken away first."""
        row = tx.execute(select(*(fill.c[name] for name in _STATE))).first()
        secret = _mark(self._search)
        if row is not None and row.secret != secret and self._forget_some(tx):
            return None
        is_first, self._began = self._began is None, self._began or now
        if row is None or row.secret != secret:
            return {"secret": secret, "customer": "", "opened_at": 0, "clerk": ""}
        state = row._asdict()
        if is_first and state["opened_at"] > now - AGAIN:
            state |= {"opened_at": now - AGAIN, "clerk": ""}
        return state

    def _forget_some(self, tx: Tx) -> bool:
        """False when there are none left."""
        some = select(*(table.c[name] for name in KEYS)).where(table.c.kind.in_(PERSONAL)).limit(PORTION)
        return tx.execute(delete(table).where(_PLACE.in_(some))).rowcount > 0

    def _customers(self, tx: Tx, after: str) -> str | None:
        """The last one entered; None when there are no more."""
        rows = tx.execute(select(customers).where(customers.c.id > after).order_by(customers.c.id).limit(PORTION)).all()
        for row in rows:
            follow_customer(self._search, tx, None, customer_of_row(row._asdict()))
        return rows[-1].id if rows else None

    def _clerks(self, tx: Tx, opened_at: int, clerk: str) -> tuple[int, str]:
        """The place of the last one entered."""
        place = tuple_(clerks.c.opened_at, clerks.c.id)
        wanted = select(clerks.c.opened_at, clerks.c.id).where(place > tuple_(opened_at, clerk))
        rows = tx.execute(wanted.order_by(clerks.c.opened_at, clerks.c.id).limit(PORTION)).all()
        if not rows:
            return DONE, ""
        ids = [row.id for row in rows]
        tx.lock(ids)  # nobody else enters the same ones meanwhile, in another order
        self._search.enter(tx, (versioned.saga for versioned in store.read(tx, ids).values()))
        return int(rows[-1].opened_at), str(ids[-1])
