"""How many sessions callers without an access key may open: at a time by address, and in an hour all together (S5).

All ShopManagers count in one table. It has a line for each such session, with hashes under the shop's secret instead of
the address, until an hour has gone by and the session can no longer be ordered. Why so: docs/decisions/056.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

import orjson
import structlog
from sqlalchemy import BigInteger, String, bindparam, delete, exists, func, literal, null, select, union_all, update

from domain.document import Document
from domain.times import hours
from http_api.problems import Problem
from http_api.rate_limits import Buckets, Rate
from http_api.request import Origin
from messaging.database import Database, Tx
from messaging.records import as_row
from shop_manager.engine.tables import clerks, guest_sessions
from shop_manager.sessions.opening_options import GuestLimits

COUNT_EVERY = 5.0
"""Seconds between two counts of the whole hour; what this process opens in between is added."""
BESIDE = 8 * 1024
COPIES = 3
"""A session leaves at most so many bytes, and its document so many times: Clerk, history, saved response."""
FORGET_AT_ONCE = 1000
_LOG_EVERY = Rate(per_second=1 / 60, burst=1)
_LOOK_EVERY = Rate(per_second=1, burst=1)
_NETWORKS = 1000
log = structlog.get_logger()

_each = guest_sessions.c
_NOW, _SINCE = bindparam("now", type_=BigInteger), bindparam("since", type_=BigInteger)
_NETWORK = bindparam("its_network", type_=String)
_LIVE, _IN_HOUR = _each.live_until > _NOW, _each.opened_at > _SINCE
_COUNT = union_all(
    select(literal(1).label("is_address"), _each.address.label("of"), func.count().label("live"), null(), null())
    .where(_each.address.in_(bindparam("addresses", expanding=True)), _LIVE)
    .group_by(_each.address),
    select(
        literal(0),
        _each.network,
        func.count().filter(_LIVE),
        func.count().filter(_IN_HOUR),
        func.coalesce(func.sum(_each.size).filter(_IN_HOUR), 0),
    )
    .where(_each.network.in_(bindparam("networks", expanding=True)))
    .group_by(_each.network),
)
_HAS_ENDED = exists().where(clerks.c.id == _each.clerk, clerks.c.wake_at.is_(None))
_RELEASE = update(guest_sessions).where(_each.network == _NETWORK, _LIVE, _HAS_ENDED).values(live_until=_NOW)
_WHOLE = select(func.count(), func.coalesce(func.sum(_each.size), 0)).where(_IN_HOUR)
_OLD = (
    select(_each.clerk).where(_each.opened_at <= _SINCE, _each.live_until <= _NOW).limit(FORGET_AT_ONCE)
).scalar_subquery()
_FORGET = delete(guest_sessions).where(_each.clerk.in_(_OLD))


@dataclass(frozen=True, slots=True)
class GuestSession:
    """One line of the table. `address` and `network` are hashes, `size` bytes, the moment ms."""

    clerk: str
    address: str
    network: str
    live_until: int
    size: int


class _Counts:
    """How many sessions each address and network has: those of the table, and those that are added."""

    def __init__(self, rows: Iterable[Sequence[Any]], added: Iterable[GuestSession]) -> None:
        self.of_address: Counter[str] = Counter()
        self.of_network: Counter[str] = Counter()
        self._opened: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        for is_address, name, live, opened, size in rows:
            (self.of_address if is_address else self.of_network)[name] = int(live)
            if not is_address:
                self._opened[name], self._bytes[name] = int(opened), int(size)
        for session in added:
            self.add(session)

    def add(self, session: GuestSession) -> None:
        self.of_address[session.address] += 1
        self.of_network[session.network] += 1
        self._opened[session.network] += 1
        self._bytes[session.network] += session.size

    def has_few_live(self, session: GuestSession, limits: GuestLimits) -> bool:
        return (
            self.of_address[session.address] < limits.per_address
            and self.of_network[session.network] < limits.per_network
        )

    def has_room(self, session: GuestSession, limits: GuestLimits) -> bool:
        """For one more?"""
        network = session.network
        return (
            self.has_few_live(session, limits)
            and self._opened[network] < limits.share(limits.per_hour)
            and self._bytes[network] < limits.share(limits.bytes_per_hour)
        )


class GuestSessions:
    """Counts guests' sessions and refuses those that are too many. `hashed` makes of an address what is kept of it.

    Limits hold to the session on SQLite; on PostgreSQL transactions at the same moment do not see each other. `clock`
    gives seconds.
    """

    def __init__(
        self,
        database: Database,
        limits: GuestLimits,
        hashed: Callable[[str], str],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._limits = limits
        self._hashed = hashed
        self._clock = clock
        self._counted_at = float("-inf")
        self._count = self._bytes = 0
        self._counting = Lock()
        self._lock = Lock()
        self._looks = Buckets(_NETWORKS)
        self._refused = 0

    def count(self) -> None:
        """Count the whole hour, if the last time is long ago. To be called outside a transaction."""
        if self._clock() - self._counted_at < COUNT_EVERY or not self._counting.acquire(blocking=False):
            return
        try:
            with self._database.read() as tx:
                row = tx.execute(_WHOLE, {"since": tx.now() - hours(1)}).one()
            with self._lock:
                self._count, self._bytes, self._counted_at = int(row[0]), int(row[1]), self._clock()
        finally:
            self._counting.release()

    def session(self, clerk: str, origin: Origin, document: Document, live_until: int) -> GuestSession:
        """The line of a session that is being opened."""
        size = BESIDE + COPIES * len(orjson.dumps(document))
        return GuestSession(clerk, self._hashed(origin.address), self._hashed(origin.network), live_until, size)

    def take(self, tx: Tx, sessions: Sequence[GuestSession]) -> list[Problem | None]:
        """Note the sessions that are being opened, with two statements; for each None, or why it may not be.

        Problem 503 `overloaded` when guests have had their hour; 429 `too_many_sessions` when this address has had its
        part of it, or has too many sessions that have not ended.
        """
        if not sessions:
            return []
        taken: list[GuestSession] = []
        counts = self._counts(tx, sessions, taken)
        problems: list[Problem | None] = []
        for session in sessions:
            problem = self._had_their_hour()
            if problem is None and not counts.has_room(session, self._limits):
                problem = self._why_no_room(tx, counts, session)
                if problem is None:
                    counts = self._counts(tx, sessions, taken)
                    problem = None if counts.has_room(session, self._limits) else self._too_many_live(counts, session)
            if problem is None:
                counts.add(session)
                taken.append(session)
                with self._lock:
                    self._count += 1
                    self._bytes += session.size
            problems.append(problem)
        tx.insert(guest_sessions, [{**as_row(session), "opened_at": tx.now()} for session in taken])
        return problems

    def _counts(self, tx: Tx, sessions: Sequence[GuestSession], taken: Sequence[GuestSession]) -> _Counts:
        named = {
            "addresses": sorted({session.address for session in sessions}),
            "networks": sorted({session.network for session in sessions}),
        }
        return _Counts(tx.execute(_COUNT, {**named, **_moments(tx)}), taken)

    def _had_their_hour(self) -> Problem | None:
        if self._count < self._limits.per_hour and self._bytes < self._limits.bytes_per_hour:
            return None
        return self._problem("overloaded", "Guests have opened as many sessions as they may within an hour.", 60)

    def _why_no_room(self, tx: Tx, counts: _Counts, session: GuestSession) -> Problem | None:
        """Why there is no room; None when some of the counted ones have ended since, and count no more.

        That is looked at, at most once a second for each network.
        """
        if counts.has_few_live(session, self._limits):
            said = "So many sessions have been opened from this address within an hour."
            return self._problem("too_many_sessions", said, 300)
        with self._lock:
            wait = self._looks.take(session.network, _LOOK_EVERY, self._clock())
        if not wait and tx.execute(_RELEASE, {"its_network": session.network, **_moments(tx)}).rowcount:
            return None
        return self._too_many_live(counts, session)

    def _too_many_live(self, counts: _Counts, session: GuestSession) -> Problem:
        of_address, of_network = counts.of_address[session.address], counts.of_network[session.network]
        said = f"{of_address} sessions from this address are open, {of_network} from its network."
        return self._problem("too_many_sessions", said, 60)

    def _problem(self, code: str, detail: str, retry_after: int) -> Problem:
        """Says so in the log too, at most once a minute."""
        with self._lock:
            self._refused += 1
            refused = self._refused
            wait = self._looks.take(f"log {code}", _LOG_EVERY, self._clock())
        if not wait:
            log.warning("guests_refused", code=code, detail=detail, refused_so_far=refused)
        return Problem(code, detail, retry_after=retry_after)


def forget_old(database: Database) -> None:
    """Delete the lines that count no more."""
    deleted = FORGET_AT_ONCE
    while deleted == FORGET_AT_ONCE:
        with database.begin() as tx:
            deleted = tx.execute(_FORGET, _moments(tx)).rowcount


def _moments(tx: Tx) -> dict[str, int]:
    return {"now": tx.now(), "since": tx.now() - hours(1)}
