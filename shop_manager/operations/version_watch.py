"""Looks every few seconds which versions are at work and which services answer; the activity feed is told what is new.

A service in another process is asked off the thread of the ticks. One that fails counts as out once it has failed for
a while, here and for every other ShopManager that looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import select

from domain.messages import SHOP_MANAGER
from domain.times import minutes, seconds
from domain.version import VERSION
from messaging.database import Database, Tx
from shop_manager.engine import activity
from shop_manager.engine.tables import activity_schema
from shop_manager.operations.activity import PROCESS
from shop_manager.operations.service_question import UNKNOWN, Answered, VersionQuestion
from shop_manager.processes import ProcessRegistry

EVERY = 15.0
"""Seconds between two looks."""
OUT_AFTER = seconds(30)
BACK_AFTER = minutes(10)
"""A version that was seen before is news again when others were seen so much later than it was."""
LOCK = "versions"
table, versions = activity_schema.lines, activity_schema.versions
Ask = Callable[[Mapping[str, str]], dict[str, Answered]]
"""By service: its address → what it has answered."""


class _Seen(NamedTuple):
    first_at: int
    last_at: int


class VersionWatch:
    """`urls` are the services in other processes."""

    def __init__(
        self, database: Database, processes: ProcessRegistry, urls: Mapping[str, str], ask: Ask | None = None
    ) -> None:
        self._database = database
        self._processes = processes
        self._urls = urls
        self._ask = ask or VersionQuestion().ask
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="versions")
        self._asked: Future[dict[str, Answered]] | None = None
        self._due = float("-inf")
        self._failing: dict[str, int] = {}

    def tick(self) -> None:
        if self._asked is not None and self._asked.done():
            asked, self._asked = self._asked, None
            self.tell(asked.result())
        elif self._asked is None and monotonic() >= self._due:
            self._due = monotonic() + EVERY
            if self._urls:
                self._asked = self._pool.submit(self._ask, self._urls)
            else:
                self.tell({})

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tell(self, answers: Mapping[str, Answered]) -> None:
        """What these services have answered; this ShopManager's own version and processes go with it."""
        with self._database.begin() as tx:
            now = tx.lock([LOCK])
            seen = {(row.part, row.version): _Seen(row.first_at, row.last_at) for row in tx.execute(select(versions))}
            at_work = self._at_work(answers)
            news = [line for place in at_work if (line := _version_line(place, seen, now))]
            outages = [line for service in answers if (line := self._outage(tx, service, answers[service], seen, now))]
            rows = [{"part": part, "version": version, "first_at": now, "last_at": now} for part, version in at_work]
            tx.upsert(versions, rows, ["part", "version"], keep=["first_at"])
            activity.add(tx, [*news, *outages])

    def _at_work(self, answers: Mapping[str, Answered]) -> list[tuple[str, str]]:
        own = [(SHOP_MANAGER, VERSION), *((PROCESS, reference) for reference in self._processes.by_reference)]
        return [*own, *((service, each.version or UNKNOWN) for service, each in answers.items() if each.is_ready)]

    def _outage(
        self, tx: Tx, service: str, answered: Answered, seen: Mapping[tuple[str, str], _Seen], now: int
    ) -> dict[str, Any] | None:
        """A line when an outage has begun, or has ended."""
        since = self._failing.setdefault(service, now) if not answered.is_ready else self._failing.pop(service, now)
        last = max((each.last_at for (part, _), each in seen.items() if part == service), default=None)
        told = _told_last(tx, service)
        is_out = told is not None and told.what == "began"
        if answered.is_ready:
            ended = {"service": service, "began_at": told.began_at} if is_out else None
            return ended and activity.line(now, "outage", "ended", **ended)
        if is_out or last is None or now - max(since, last) < OUT_AFTER:
            return None
        return activity.line(last, "outage", "began", service=service, began_at=last, detail=answered.trouble)


def _version_line(place: tuple[str, str], seen: Mapping[tuple[str, str], _Seen], now: int) -> dict[str, Any] | None:
    part, version = place
    others = [each.last_at for (name, other), each in seen.items() if name == part and other != version]
    known = seen.get(place)
    if known and (part == PROCESS or max(others, default=0) - known.last_at <= BACK_AFTER):
        return None
    if part == PROCESS:
        return activity.line(now, "deploy", PROCESS, process=version)
    return activity.line(now, "deploy", "version", service=part, detail=version)


def _told_last(tx: Tx, service: str) -> Any:
    lines = select(table.c.what, table.c.began_at).where(table.c.service == service, table.c.kind == "outage")
    return tx.execute(lines.order_by(table.c.at.desc(), table.c.number.desc()).limit(1)).first()
