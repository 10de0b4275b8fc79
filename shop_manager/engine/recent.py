"""The Clerks that this process has written lately, so that the next reply to one costs no decoding of its row.

Nothing is taken on trust: a Clerk is read anew unless its row still has the revision and the time that are remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from threading import Lock

from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.store import VersionedSaga

MOST = 5_000
MOST_BYTES = 10 * 2**20
"""Of the rows' JSON; as Python's values they take about four times as much."""


class RecentClerks:
    """Of the live Clerks those written last, at most `most`, and at most `most_bytes` of JSON. For any thread."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._clerks: dict[str, VersionedSaga] = {}
        self._lock = Lock()

    def lock_and_read(self, tx: Tx, ids: Collection[str]) -> tuple[int, dict[str, VersionedSaga]]:
        """The time after the Clerks' locks, and the Clerks there are by id, as `store.read` gives them."""
        with self._lock:
            known = {clerk: self._clerks[clerk] for clerk in ids if clerk in self._clerks}
        if not known:
            return tx.lock(ids), store.read(tx, ids)
        now, as_they_are = store.lock_and_read_stamps(tx, ids, known)
        found = {clerk: each for clerk, each in known.items() if each.stamp == as_they_are.get(clerk)}
        return now, found | store.read(tx, [clerk for clerk in ids if clerk not in found])

    def keep(self, written: Iterable[VersionedSaga]) -> None:
        """After the commit: these are in the database now."""
        with self._lock:
            for each in written:
                self._forget(each.saga.id)
                if not each.saga.ended:
                    self._clerks[each.saga.id] = each
                    self._bytes += each.size
            while len(self._clerks) > self._most or self._bytes > self._most_bytes:
                self._forget(next(iter(self._clerks)))

    def _forget(self, clerk: str) -> None:
        known = self._clerks.pop(clerk, None)
        if known:
            self._bytes -= known.size
