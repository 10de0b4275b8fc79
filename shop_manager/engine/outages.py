"""Notices that no ShopManager took replies for a while, so that an outage cancels nobody's order (semantics T5).

The heartbeat is one row: the last moment at which some ShopManager, connected to the broker, was at work.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import orjson
from sqlalchemy import select

from domain.messages import SHOP_MANAGER
from messaging.broker import Transport
from messaging.database import Database
from shop_manager.engine import activity
from shop_manager.engine.tables import heartbeat
from shop_manager.saga.policy import Outage

BEAT_MS = 1_000
"""At most so often the heartbeat is written."""
OUTAGE_MS = 3_000
"""A gap between two beats that is longer than this is an outage."""
REMEMBERED = 20
_BEAT = select(heartbeat)


class Outages:
    """Writes the heartbeat; `known` are the latest REMEMBERED outages, for the Policy."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self.database = database
        self.transport = transport
        self.known: tuple[Outage, ...] = ()
        self._last = self._last_by_the_wall = float("-inf")
        self._connections = 0

    def before_batch(self) -> None:
        """An outage that has just ended is noticed before the first reply after it is handled."""
        stale = self._since_last() > OUTAGE_MS / 2000
        if stale or self.transport.connections != self._connections:
            self.beat()

    def beat(self) -> None:
        """Write that this ShopManager is at work now; if none has written so for OUTAGE_MS, that was an outage.

        A clock that is set back takes with it the outages of a time that has not come.
        """
        if self._since_last() < BEAT_MS / 1000 and self.transport.connections == self._connections:
            return
        with self.database.begin() as tx:
            now, rows = tx.lock_and_read(["heartbeat"], _BEAT, {})
            row = rows[0] if rows else None
            known = [Outage(*each) for each in orjson.loads(row.outages)] if row else []
            if row and now - row.last_at > OUTAGE_MS:
                known.append(Outage(row.last_at, now))
                activity.add(tx, _as_activity(row.last_at, now))
            known = [outage for outage in known if outage.end <= now][-REMEMBERED:]
            outages = orjson.dumps([[outage.start, outage.end] for outage in known]).decode()
            tx.upsert(heartbeat, [{"id": 1, "last_at": now, "outages": outages}], ["id"])
        self.known, self._connections = tuple(known), self.transport.connections
        self._last, self._last_by_the_wall = monotonic(), self.database.clock() / 1000

    def look(self) -> None:
        """Read what others know, in a process that takes no replies itself: it is at work without any beat."""
        with self.database.read() as tx:
            row = tx.execute(_BEAT).first()
        self.known = tuple(Outage(*each) for each in orjson.loads(row.outages)) if row else ()

    def _since_last(self) -> float:
        """Seconds since the last beat, by the clock that says more: while a machine sleeps only the wall's goes on.

        One that was set back counts as much.
        """
        return max(monotonic() - self._last, abs(self.database.clock() / 1000 - self._last_by_the_wall))


def _as_activity(began_at: int, ended_at: int) -> list[dict[str, Any]]:
    detail = "nobody took the answers of services meanwhile"
    return [
        activity.line(began_at, "outage", "began", service=SHOP_MANAGER, began_at=began_at, detail=detail),
        activity.line(ended_at, "outage", "ended", service=SHOP_MANAGER, began_at=began_at, detail=detail),
    ]
