"""Contestants that have played long before: a shop with so many ended Clerks, or unfinished ones, or all overdue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from time import monotonic

from sqlalchemy import select

from benchmarks.contestants import Contestant, Place, Round, in_one_process, measured, ours
from benchmarks.figures import Figures
from benchmarks.our_rounds import OurRound, now
from benchmarks.seed_shop import seed
from benchmarks.shops import services
from shop_manager.engine.tables import clerks

Start = Callable[[Place, int], AbstractContextManager[Round]]
LOOK_EVERY = 0.05
_never = Event()


def with_ended(name: str, count: int) -> Contestant:
    """Five processes over databases with so many ended Clerks; they are filled once, and used for all runs."""
    kept: dict[str, str] = {}

    @contextmanager
    def start(place: Place, copies: int) -> Iterator[Round]:
        if not kept and place.servers is not None:
            kept["database"] = place.servers.fresh_databases(f"bench_seeded_{count}_")
            seed(place.folder / "seed", count, 0, database=kept["database"])
        with ours(replace(place, database=kept["database"]), copies) as our:
            yield our

    return Contestant(name, start)


def with_ended_embedded(name: str, count: int) -> Contestant:
    """The same in one process, on SQLite."""
    kept: dict[str, Path] = {}

    @contextmanager
    def start(place: Place, copies: int) -> Iterator[Round]:
        if not kept:
            kept["folder"] = Path(mkdtemp(dir=place.folder.parent, prefix="clerk-bench-seeded-"))
            seed(kept["folder"], count, 0)
        with in_one_process(replace(place, folder=kept["folder"]), copies) as our:
            yield our

    return Contestant(name, start, needs_servers=False)


def with_live(name: str, count: int, *, overdue: bool) -> Contestant:
    """Five processes that start over so many unfinished Clerks. `overdue`: all have to be ended at once."""

    @contextmanager
    def start(place: Place, _copies: int) -> Iterator[Round]:
        seed(place.folder / "seed", 0, count, database=place.database, overdue=overdue)
        started = services(place.folder, place.broker, "", place.database)
        with started as shop, measured(shop, place, holdable=True) as our:
            phases = Starting(our, count)
            our.phases = {**our.phases, "started": phases.started, "overdue": phases.overdue}
            yield our

    return Contestant(name, start)


class Starting:
    """What happens first in a shop that was started over many unfinished Clerks."""

    def __init__(self, our: OurRound, count: int) -> None:
        self._our = our
        self._count = count
        self._began, self._due = monotonic(), now(our.database)

    def started(self, _orders: int) -> Figures:
        """How long it took until it was ready."""
        return {"clerks": self._count, "ready_after_s": self._our.shop.ready_after}

    def overdue(self, _orders: int) -> Figures:
        """How fast all that are overdue come to their end."""
        while self._any_left():
            _never.wait(LOOK_EVERY)
        took = monotonic() - self._began
        return {"clerks": self._count, "all_ended_after_s": took, "ended_per_s": self._count / took}

    def _any_left(self) -> bool:
        over = select(clerks.c.id).where(clerks.c.wake_at.isnot(None), clerks.c.expires_at < self._due).limit(1)
        with self._our.database.read() as tx:
            return tx.execute(over).first() is not None
