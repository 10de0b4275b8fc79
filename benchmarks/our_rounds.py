"""This product as a contestant: what is measured on one running shop, and `clerk verify` at its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event
from time import monotonic
from typing import Any

from sqlalchemy import func, select

from benchmarks.calls import Caller, latencies
from benchmarks.figures import Figures, percentile
from benchmarks.http_load import Load, Posts, post_many
from benchmarks.meter import Meter, used
from benchmarks.processor_time import most_memory
from benchmarks.shops import MeasuredShop, stock_up
from messaging.database import Database
from scenario_tests.servers import Servers
from shop_manager.engine.tables import clerks

SKU, GONE = "BENCH-BONE", "BENCH-GONE"
"""An article that there is plenty of, and one that is out of stock."""
CONNECTIONS = 64
LOOK_EVERY, ENDED_WITHIN = 0.05, 900.0
WARM_UP = 64
OPENING = ("cpu_ms.ours", "cpu_ms.database", "cpu_ms.broker", "wal_kb")
COUNTERS = ("statements", "batches")
_never = Event()


class VerifyFailed(Exception):
    """`clerk verify` has found something: a fast wrong run is a failed run."""


def order(sku: str = SKU, **more: Any) -> dict[str, Any]:
    """A one-shot order: everything that the customer would say later is in it."""
    items = [{"sku": sku, "quantity": 1}]
    return {"items": items, "payment": {"token": "tok_ok"}, "metadata": {"note": "x" * 600}, **more}


class OurRound:
    """One running shop. `holdable`: the services beside ShopManager are processes of their own."""

    def __init__(
        self, shop: MeasuredShop, servers: Servers | None, database: Database, folder: Path, holdable: bool
    ) -> None:
        self.shop = shop
        self.versions: dict[str, str] = {}
        self.database = database
        self.meter = Meter(servers if holdable else None, shop.pids, self._counters)
        self._folder = folder
        self._began = now(database)
        self._at_rest = False
        self._at_rest = self._is_under_way()
        """There were Clerks before: those that are under way are not waited for."""
        self.caller = Caller(shop.url, shop.server_key)
        both: Mapping[str, Callable[[int], Figures]] = {"alone": self.alone, "http": self.http}
        held: Mapping[str, Callable[[int], Figures]] = {"engine": self.engine, "undone": self.undone}
        self.phases: Mapping[str, Callable[[int], Figures]] = {**both, **held} if holdable else both

    def warm_up(self) -> None:
        """Fill the shop's shelves, and play some orders of each kind."""
        stock_up(self.shop, SKU, 100_000_000)
        stock_up(self.shop, GONE, 0)
        self.open(WARM_UP)
        self.until_ended()

    def alone(self, orders: int) -> Figures:
        """One order after the other, each from opened to completed; then single calls on the idle shop."""
        with self.all_end_as("completed"):
            commits, before = self.meter.commits(), self.meter.read()
            self.caller.start_anew()
            times, posted = [], []
            for _ in range(orders):
                began = monotonic()
                session = self.caller.ask("POST", "/shop/session", order())
                posted.append(monotonic() - began)
                times.append(self.caller.seconds_until_completed(session))
            after = self.meter.read()
        return {
            "orders": orders,
            "p50_ms": percentile(times, 50) * 1000,
            "p99_ms": percentile(times, 99) * 1000,
            **used(before, after, orders),
            "commits": (self.meter.commits() - commits) / orders,
            "post_session_p50_ms": percentile(posted, 50) * 1000,
            **latencies(self.caller, session["links"]["self"], self.database),
        }

    def engine(self, orders: int) -> Figures:
        """Open all orders while the four services are held, then let go, until the last is completed."""
        return self._engine(orders, SKU, "completed")

    def undone(self, orders: int) -> Figures:
        """The same with an article that is out of stock: everything is undone at the last step before the pivot."""
        return self._engine(orders, GONE, "failed")

    def _engine(self, orders: int, sku: str, end: str) -> Figures:
        with self.all_end_as(end) as count:
            unopened = self.meter.read()
            with self.held("shop", "risk", "payment", "fulfillment"):
                load = self.open(orders, order(sku))
                opening = self.meter.read()
                commits = self.meter.commits()
                before = self.meter.read()
            self.until_ended()
            after = self.meter.read()
            commits = self.meter.commits() - commits
        opened = count()
        first = used(unopened, opening, opened)
        return {
            "orders": opened,
            "orders_per_s": opened / (after.at - before.at),
            **used(before, after, opened),
            "commits": commits / opened,
            "opened_per_s": (load.answered - load.refused) / load.seconds,
            **({"refused": load.refused} if load.refused else {}),
            **{f"opening.{name}": first[name] for name in OPENING if name in first},
        }

    def http(self, orders: int) -> Figures:
        """Open one-shot orders as fast as they are answered, until all are completed."""
        with self.all_end_as("completed") as count:
            before = self.meter.read()
            load = self.open(orders)
            self.until_ended()
            after = self.meter.read()
        opened = count()
        return {
            "orders": opened,
            "orders_per_s": opened / (after.at - before.at),
            **used(before, after, opened),
            "cpu_ms.load": load.cpu * 1000 / opened,
            "opened_per_s": (load.answered - load.refused) / load.seconds,
            **({"refused": load.refused} if load.refused else {}),
            "post_session_p50_ms": load.p50 * 1000,
            "post_session_p99_ms": load.p99 * 1000,
        }

    def _counters(self) -> dict[str, float]:
        counted = self.shop.counters()
        return {name: counted[f"clerk_{name}_total"] for name in COUNTERS if f"clerk_{name}_total" in counted}

    def verify(self) -> tuple[float, float, float]:
        """VerifyFailed unless `clerk verify` finds nothing; the seconds and processor seconds it took, its MiB.

        The memory is the most that all its processes had together, what they share counted once.
        """
        command = [sys.executable, "-m", "clerk_cli", "verify", "--json", "--database", self.shop.database]
        began = monotonic()
        with TemporaryFile(dir=self._folder) as output:
            process = subprocess.Popen(  # noqa: S603  # our own command line
                command, cwd=self._folder, env=self.shop.environment, stdout=output, stderr=subprocess.STDOUT
            )
            with most_memory(process.pid) as most:
                _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            if process.returncode:
                said = output.read().decode(errors="replace")
                raise VerifyFailed(f"clerk verify ended with {process.returncode}: {said[:2000]}")
        return monotonic() - began, usage.ru_utime + usage.ru_stime, most()

    def open(self, orders: int, *bodies: Any, connections: int = CONNECTIONS) -> Load:
        """Send that many, of these bodies in turns; some may be refused. RuntimeError when a call is not answered."""
        url = f"{self.shop.url}/shop/session"
        wanted = Posts(url, self.shop.server_key, bodies or [order()], orders, min(connections, orders))
        load = post_many(wanted, self._folder)
        if load.failed:
            raise RuntimeError(f"{load.failed} calls were not answered")
        return load

    @contextmanager
    def held(self, *services: str) -> Iterator[None]:
        """These services stand still; the others work."""
        pids = [each.pid for name, each in self.shop.processes.items() if name.split("-")[0] in services]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def all_end_as(self, end: str) -> Iterator[Callable[[], int]]:
        """Every Clerk opened in the block must end like this; gives how many these were. RuntimeError otherwise."""
        before, new = self._statuses(), Counter[str]()
        yield new.total
        self.until_ended()
        new.update(self._statuses() - before)
        if set(new) != {end}:
            raise RuntimeError(f"all new orders should be {end}, and they are {dict(new)}")

    def _statuses(self) -> Counter[str]:
        with self.database.read() as tx:
            rows = tx.execute(select(clerks.c.status, func.count().label("number")).group_by(clerks.c.status)).all()
        return Counter({row.status: row.number for row in rows})

    def until_ended(self) -> None:
        """Until no Clerk is under way; RuntimeError when that takes too long."""
        end = monotonic() + ENDED_WITHIN
        while self._is_under_way():
            if monotonic() > end:
                raise RuntimeError(f"orders are still under way after {ENDED_WITHIN:.0f} s")
            _never.wait(LOOK_EVERY)

    def _is_under_way(self) -> bool:
        wanted = select(clerks.c.id).where(clerks.c.wake_at.isnot(None)).limit(1)
        if self._at_rest:
            wanted = wanted.where(clerks.c.opened_at >= self._began)
        with self.database.read() as tx:
            return tx.execute(wanted).first() is not None


def now(database: Database) -> int:
    """In ms, by the database's clock."""
    with database.read() as tx:
        return tx.now()
