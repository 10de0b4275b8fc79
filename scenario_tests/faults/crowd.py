"""Many people at once, with many fates: the load under which faults are fired, and a first proof of how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from time import monotonic

from sqlalchemy import select

from messaging.database import Database
from scenario_tests.clerk_on_stage import ENDED
from scenario_tests.faults.order import Fate, Order
from scenario_tests.shop import PRICE, Shop
from scenario_tests.stage import Stage
from scenario_tests.wire import Wire
from shop_manager.store import clerks

SHELF = 10_000
LOOK_EVERY = 0.05
_numbers = count(1)


def under_way(database: Database) -> set[str]:
    """The Clerks that have not ended."""
    with database.read() as tx:
        return {row.id for row in tx.execute(select(clerks.c.id).where(clerks.c.status.notin_(ENDED)))}


def in_flight(database: Database) -> set[str]:
    """The Clerks that wait for a service's answer: their command or its reply is on its way, or in somebody's hands."""
    with database.read() as tx:
        return {row.id for row in tx.execute(select(clerks.c.id).where(clerks.c.waiting_for == "service"))}


def fates(shop: Shop) -> list[Fate]:
    """Furnishes the shop for them, and gives one of each."""
    for sku, on_hand in (("BONE", SHELF), ("SOLD-OUT", 0)):
        shop.stocks(sku, on_hand)
    shop.sells("SONG")
    bone, song = shop.sku("BONE"), shop.sku("SONG")
    digital = shop.branch("songs", kind="digital")
    invoices = shop.branch("kennel", allows_invoice=True)
    trusted = shop.customer("trudy", kind="trusted", limit=SHELF * PRICE).known
    regular = shop.customer("ada", limit=SHELF * PRICE).known
    poor = shop.customer("poor", limit=PRICE - 1).known
    return [
        Fate("buys", bone, 1, ("completed", None), token="tok_ok", customer=regular),
        Fate("pays at the desk", bone, 2, ("completed", None), pays=True),
        Fate("pays after a lost answer", bone, 1, ("completed", None), token="tok_lost", customer=regular),
        Fate("buys a song", song, 1, ("completed", None), token="tok_ok", shop=digital),
        Fate("pays later", bone, 1, ("completed", None), shop=invoices, customer=trusted, pays=True),
        Fate("is declined", bone, 1, ("failed", "card_declined"), token="tok_declined"),
        Fate("has no money left", bone, 1, ("failed", "capture_refused"), token="tok_capture_refused"),
        Fate("comes too late", shop.sku("SOLD-OUT"), 1, ("failed", "out_of_stock"), token="tok_ok"),
        Fate("has no credit", bone, 1, ("failed", "credit_exceeded"), token="tok_ok", customer=poor),
        Fate("changes their mind", bone, 1, ("canceled", None), changes_their_mind=True, customer=regular),
    ]


class Crowd:
    """`comes` opens orders at once, `at_work` goes on opening some; `goes_home` waits until all have ended, rightly."""

    def __init__(self, stage: Stage, shop: Shop, seed: int) -> None:
        self.stage = stage
        self.shop = shop
        self.orders: list[Order] = []
        self.fates = fates(shop)
        self._chance = Random(seed)
        self._wire = Wire(stage)
        self._mark = next(_numbers)
        self._lock = Lock()
        self.broken: BaseException | None = None

    def comes(self, many: int) -> None:
        """So many more orders, each fate as often as any other."""
        for number in range(many):
            if number % len(self.fates) == 0:
                self._chance.shuffle(self.fates)
            self._one_more(self.fates[number % len(self.fates)])

    def _one_more(self, fate: Fate) -> None:
        with self._lock:
            order = Order(self._wire, fate, f"{self.shop.mark}-{self._mark}-{len(self.orders)}")
            self.orders.append(order)
        order.goes_on()

    @contextmanager
    def at_work(self, every: float = 0.15) -> Iterator[None]:
        """Inside the block a new order comes about every so many seconds, and all go on."""
        over = Event()
        thread = Thread(target=self._work, args=(over, every), name="crowd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if self.broken is not None:
            raise self.broken

    def _work(self, over: Event, every: float) -> None:
        due = monotonic()
        try:
            while not over.wait(LOOK_EVERY):
                if monotonic() >= due:
                    due = monotonic() + self._chance.uniform(0.5, 1.5) * every
                    self._one_more(self._chance.choice(self.fates))
                self.goes_on()
        except BaseException as error:
            self.broken = error

    def goes_on(self) -> None:
        for order in list(self.orders):
            order.goes_on()

    @property
    def open_orders(self) -> list[Order]:
        return [order for order in self.orders if not order.has_ended]

    def goes_home(self, limit: float) -> None:
        """Everybody's order ends within the limit, as it should, and the goods and the credit are where they belong."""
        end, pause = monotonic() + limit, Event()
        while self.open_orders:
            self.goes_on()
            assert monotonic() < end, f"not ended within {limit:g} s: {[self._told(one) for one in self.open_orders]}"
            pause.wait(LOOK_EVERY)
        wrong = [told for order in self.orders if (told := order.told_wrong())]
        assert not wrong, "\n".join(wrong)
        self._counts_the_shelf()

    def _counts_the_shelf(self) -> None:
        sold = sum(
            order.fate.quantity
            for order in self.orders
            if order.fate.ends[0] == "completed" and order.fate.sku == self.shop.sku("BONE")
        )
        stock = self.shop.stock_of("BONE")
        assert (stock.on_hand, stock.reserved, stock.shipped) == (SHELF - sold, 0, sold)
        for name in ("ada", "trudy", "poor"):
            assert self.shop.credit_of(name).reserved == 0, f"{name} has credit reserved"

    def _told(self, order: Order) -> str:
        seen = order.session
        steps = [f"{each['step']} {each['state']}" for each in seen.get("progress", ())]
        return f"{order.id or 'not opened'} ({order.fate.name}): {seen.get('status')}, {', '.join(steps)}"

    def close(self) -> None:
        self._wire.close()
