"""What else is measured on one running shop: nothing to do, much too much to do, hot rows, and others that are away."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from subprocess import Popen
from threading import Event, Thread
from time import monotonic
from typing import Any

import httpx
from sqlalchemy import func, select

from benchmarks.figures import Figures, percentile
from benchmarks.meter import session, used
from benchmarks.our_rounds import CONNECTIONS, SKU, OurRound, order
from benchmarks.shops import stock_up
from clerk_cli.services import NAMES
from shop_manager.engine.tables import clerks, history

IDLE_SECONDS = 20.0
FIRST = 1000
"""Orders after which memory is looked at for the first time."""
MANY = 8 * CONNECTIONS
KINDS, CREDIT = 200, 10**11
"""Different articles, or customers, and the credit of each."""
SLOW = "payment"
AWAKE, ASLEEP = 0.05, 0.45
_never = Event()


def stress_phases(our: OurRound) -> Mapping[str, Callable[[int], Figures]]:
    """By name; each takes a number of orders."""
    stress = Stress(our)
    return {
        "idle": stress.idle,
        "memory": stress.memory,
        "disk": stress.disk,
        "overload": stress.overload,
        "one_dead": stress.one_dead,
        "one_slow": stress.one_slow,
        "one_article": stress.one_article,
        "many_articles": stress.many_articles,
        "one_customer": stress.one_customer,
        "many_customers": stress.many_customers,
        "verified": stress.verified,
        "verified_live": stress.verified_live,
    }


class Stress:
    """On one running shop."""

    def __init__(self, our: OurRound) -> None:
        self._our = our

    def idle(self, _orders: int) -> Figures:
        """Percent of a core that each process takes while nobody wants anything, and its memory."""
        _never.wait(IDLE_SECONDS / 4)
        before = self._our.meter.read()
        _never.wait(IDLE_SECONDS)
        after = self._our.meter.read()
        took = after.at - before.at
        percent = {name: (after.seconds[name] - before.seconds[name]) * 100 / took for name in after.seconds}
        return {**{f"idle_percent.{name}": value for name, value in percent.items()}, **self._memory("memory_mib")}

    def memory(self, orders: int) -> Figures:
        """Memory of each process after a thousand orders, and after so many."""
        self._our.http(FIRST)
        first = self._memory("first_mib")
        self._our.http(orders)
        last = self._memory("memory_mib")
        times = {name.replace("memory_mib", "times"): last[name] / first[name.replace("memory_mib", "first_mib")]
                 for name in last}  # fmt: skip
        return {"orders": orders, **first, **last, **times}

    def disk(self, orders: int) -> Figures:
        """KiB that are left on disk of an order, with its history and all that services keep, after `VACUUM FULL`."""
        before = self._on_disk()
        self._our.http(orders)
        kept = {name: (size - before[name]) / orders / 1024 for name, size in self._on_disk().items()}
        return {
            "orders": orders,
            "disk_kb": sum(kept.values()),
            **{f"disk_kb.{name}": kib for name, kib in kept.items()},
        }

    def _on_disk(self) -> dict[str, int]:
        """Bytes of each service's database, without what is free in it."""
        sizes = {}
        for name in NAMES:
            with session(self._our.shop.database.replace("{service}", name)) as cursor:
                cursor.execute("VACUUM (FULL)")
                cursor.execute("SELECT pg_database_size(current_database())")
                sizes[name] = int(cursor.fetchone()[0])
        return sizes

    def _memory(self, name: str) -> Figures:
        return {f"{name}.{process}": float(mib) for process, mib in self._our.shop.memory().items()}

    def overload(self, orders: int) -> Figures:
        """Completed orders a second with 64 connections, and with 512 that want three times as many orders."""
        peak = self._our.http(orders)["orders_per_s"]
        with self._our.all_end_as("completed") as count:
            began = monotonic()
            load = self._our.open(3 * orders, connections=MANY)
            self._our.until_ended()
            took = monotonic() - began
        return {
            "peak_per_s": peak,
            "goodput_per_s": count() / took,
            "goodput_of_peak": count() / took / peak,
            "offered_of_peak": load.answered / load.seconds / peak,
            "refused_percent": load.refused * 100 / load.answered,
            "answer_p50_ms": load.p50 * 1000,
            "answer_p99_ms": load.p99 * 1000,
        }

    def one_dead(self, orders: int) -> Figures:
        """How long an order takes until its credit is reserved, with payment well and with payment standing still."""
        well = self._until_credit(orders)
        with self._our.held(SLOW):
            dead = self._until_credit(orders)
        self._our.until_ended()
        return {"well_p50_ms": well, "dead_p50_ms": dead, "times": dead / well}

    def one_slow(self, orders: int) -> Figures:
        """The same with payment working only a tenth of the time."""
        well = self._until_credit(orders)
        with self._slowed(self._our.shop.processes[SLOW]):
            slow = self._until_credit(orders)
        self._our.until_ended()
        return {"well_p50_ms": well, "slow_p50_ms": slow, "times": slow / well}

    def _until_credit(self, orders: int) -> float:
        """Median ms from opened to the second step's end, of orders that are opened one after the other."""
        took = []
        for _ in range(orders):
            session = self._our.caller.ask("POST", "/shop/session", order())
            took.append(self._credit_after(session["id"]))
        return median(took)

    def _credit_after(self, clerk: str) -> float:
        last = select(func.max(history.c.at)).where(history.c.clerk == clerk, history.c.step == "credit")
        opened = select(clerks.c.opened_at).where(clerks.c.id == clerk)
        following = select(history.c.number).where(history.c.clerk == clerk, history.c.step == "payment").limit(1)
        while True:
            with self._our.database.read() as tx:
                if tx.execute(following).first() is not None:
                    return float(tx.execute(last).scalar_one() - tx.execute(opened).scalar_one())
            _never.wait(0.005)

    @contextmanager
    def _slowed(self, process: Popen[bytes]) -> Iterator[None]:
        enough = Event()

        def slow_down() -> None:
            while not enough.wait(AWAKE):
                os.kill(process.pid, signal.SIGSTOP)
                enough.wait(ASLEEP)
                os.kill(process.pid, signal.SIGCONT)

        thread = Thread(target=slow_down)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()

    def one_article(self, orders: int) -> Figures:
        """So many orders at once, all for the same article."""
        return self._at_once(orders, [order()])

    def many_articles(self, orders: int) -> Figures:
        """The same, each of 200 articles in turns."""
        articles = [f"{SKU}-{number}" for number in range(KINDS)]
        for article in articles:
            stock_up(self._our.shop, article, 1_000_000)
        return self._at_once(orders, [order(article) for article in articles])

    def one_customer(self, orders: int) -> Figures:
        """So many orders at once, all of one customer."""
        return self._at_once(orders, self._customers(1))

    def many_customers(self, orders: int) -> Figures:
        """The same, each of 200 customers in turns."""
        return self._at_once(orders, self._customers(KINDS))

    def _customers(self, count: int) -> Sequence[Any]:
        headers = {"Authorization": f"Bearer {self._our.shop.server_key}"}
        names = [f"bench-{count}-{number}" for number in range(count)]
        with httpx.Client(base_url=self._our.shop.url, headers=headers, timeout=60) as client:
            for name in names:
                client.put(f"/shop/customers/{name}", json={"name": name}).raise_for_status()
                client.put(f"/risk/customers/{name}", json={"limit": CREDIT}).raise_for_status()
        return [order(customer=name) for name in names]

    def _at_once(self, orders: int, bodies: Sequence[Any]) -> Figures:
        our = self._our
        with our.all_end_as("completed") as count:
            with our.held("shop", "risk", "payment", "fulfillment"):
                our.open(orders, *bodies)
                before = our.meter.read()
            our.until_ended()
            after = our.meter.read()
        return {"orders": count(), "orders_per_s": count() / (after.at - before.at), **used(before, after, count())}

    def verified(self, _orders: int) -> Figures:
        """What `clerk verify` takes for all that is there."""
        took, processor, memory = self._our.verify()
        return {"seconds": took, "cpu_s": processor, "memory_mib": memory}

    def verified_live(self, orders: int) -> Figures:
        """Orders a second over HTTP with nothing else, and while `clerk verify` runs again and again."""
        alone = self._our.http(orders)["orders_per_s"]
        enough = Event()
        runs: list[float] = []

        def verify_on() -> None:
            while not enough.is_set():
                runs.append(self._our.verify()[0])

        thread = Thread(target=verify_on)
        thread.start()
        try:
            beside = self._our.http(orders)["orders_per_s"]
        finally:
            enough.set()
            thread.join()
        times = beside / alone
        return {"alone_per_s": alone, "beside_per_s": beside, "times": times, "verify_p50_s": percentile(runs, 50)}
