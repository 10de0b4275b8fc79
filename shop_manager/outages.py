"""Noticing that nobody took replies for a while, so that an outage does not cancel everyone's order (semantics T5).

The heartbeat is one row: the last moment at which some ShopManager, connected to the broker, was at work.
"""

from __future__ import annotations

from time import monotonic

import orjson
from sqlalchemy import select

from messaging.broker import Link
from messaging.database import Database
from shop_manager.happenings import Outage
from shop_manager.store import heartbeat

BEAT_MS = 1_000
OUTAGE_MS = 3_000
"""A gap between two beats that is longer than this is an outage."""
REMEMBERED = 20
_BEAT = select(heartbeat)


class Outages:
    """Beats while the link is connected; `known` are the latest outages, for `decide`."""

    def __init__(self, database: Database, link: Link) -> None:
        self.database = database
        self.link = link
        self.known: tuple[Outage, ...] = ()
        self._last = float("-inf")
        self._connections = 0

    def before_batch(self) -> None:
        """No reply is judged before a gap that lies behind us has been noticed."""
        stale = monotonic() - self._last > OUTAGE_MS / 2000
        if stale or self.link.connections != self._connections:
            self.beat()

    def beat(self) -> None:
        """Say that we are at work, and see whether anybody was since the last beat."""
        if monotonic() - self._last < BEAT_MS / 1000 and self.link.connections == self._connections:
            return
        with self.database.begin() as tx:
            now = tx.lock(["heartbeat"])
            row = tx.execute(_BEAT).first()
            known = [Outage(*each) for each in orjson.loads(row.outages)] if row else []
            if row and now - row.last_at > OUTAGE_MS:
                known.append(Outage(row.last_at, now))
            known = known[-REMEMBERED:]
            outages = orjson.dumps([[outage.start, outage.end] for outage in known]).decode()
            tx.upsert(heartbeat, [{"id": 1, "last_at": now, "outages": outages}], ["id"])
        self.known, self._last, self._connections = tuple(known), monotonic(), self.link.connections
