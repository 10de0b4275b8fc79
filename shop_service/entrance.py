"""Who may come to which cart, and the short wait for a cart that is on its way.

The session's 201 is answered before its first command has reached the shop: a quick customer must not meet a 404.
A session of somebody else's is treated exactly like one that does not exist, the wait included (security S1).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Semaphore

from messaging.database import Database
from shop_service.visits import read_visit

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25
MayUse = Callable[[str], bool]
"""(the session's secret_sha256) → may the caller act on it?"""


class Entrance:
    """`limit` seconds are waited at most, by at most `most` calls at a time: waiting callers hold a thread each."""

    def __init__(
        self, database: Database, *, limit: float, most: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.database = database
        self.limit = limit
        self._places = Semaphore(most)
        self._sleep = sleep

    def admits(self, session: str, may_use: MayUse) -> bool:
        """May the caller come to the session's cart? Looks again for a while before it says no."""
        if self._admits_now(session, may_use):
            return True
        if not self._places.acquire(blocking=False):
            return False
        try:
            return self._wait(session, may_use)
        finally:
            self._places.release()

    def _wait(self, session: str, may_use: MayUse) -> bool:
        waited, pause = 0.0, FIRST_PAUSE
        while waited < self.limit:
            self._sleep(min(pause, self.limit - waited))
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE)
            if self._admits_now(session, may_use):
                return True
        return False

    def _admits_now(self, session: str, may_use: MayUse) -> bool:
        with self.database.read() as tx:
            visit = read_visit(tx, session)
        return visit is not None and may_use(visit.secret_sha256)
