"""Generates orders of every profile: the load under which faults are injected; and checks how each order ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from time import monotonic

from sqlalchemy import select

from messaging.database import Database
from scenario_tests.api_client import ApiClient
from scenario_tests.faults.load_order import LoadOrder, OrderProfile
from scenario_tests.harness import Harness
from scenario_tests.shop import PRICE, Shop
from shop_manager.engine.tables import clerks

ON_HAND = 10_000
LOOK_EVERY = 0.05
_numbers = count(1)


def in_flight(database: Database) -> set[str]:
    """The Clerks that wait for a service's answer: their command or its reply is queued, or being handled."""
    with database.read() as tx:
        return {row.id for row in tx.execute(select(clerks.c.id).where(clerks.c.waiting_for == "service"))}


def profiles(shop: Shop) -> list[OrderProfile]:
    """Sets the shop up for them, and gives one of each."""
    for sku, on_hand in (("BONE", ON_HAND), ("SOLD-OUT", 0)):
        shop.stocks(sku, on_hand)
    shop.sells("SONG")
    bone, song = shop.sku("BONE"), shop.sku("SONG")
    digital = shop.branch("songs", kind="digital")
    invoices = shop.branch("kennel", allows_invoice=True)
    trusted = shop.customer("trudy", kind="trusted", limit=ON_HAND * PRICE).known
    regular = shop.customer("ada", limit=ON_HAND * PRICE).known
    poor = shop.customer("poor", limit=PRICE - 1).known
    return [
        OrderProfile("buys", bone, 1, ("completed", None), token="tok_ok", customer=regular),
        OrderProfile("pays at the payment step", bone, 2, ("completed", None), pays=True),
        OrderProfile("pays after a lost answer", bone, 1, ("completed", None), token="tok_lost", customer=regular),
        OrderProfile("buys a song", song, 1, ("completed", None), token="tok_ok", shop=digital),
        OrderProfile("pays later", bone, 1, ("completed", None), shop=invoices, customer=trusted, pays=True),
        OrderProfile("is declined", bone, 1, ("failed", "card_declined"), token="tok_declined"),
        OrderProfile("has no money left", bone, 1, ("failed", "capture_refused"), token="tok_capture_refused"),
        OrderProfile("comes too late", shop.sku("SOLD-OUT"), 1, ("failed", "out_of_stock"), token="tok_ok"),
        OrderProfile("has no credit", bone, 1, ("failed", "credit_exceeded"), token="tok_ok", customer=poor),
        OrderProfile("changes their mind", bone, 1, ("canceled", None), changes_their_mind=True, customer=regular),
    ]


class LoadGenerator:
    """`opens_orders` opens some at once; inside `running` more come all the time; `all_end` waits for the ends."""

    def __init__(self, harness: Harness, shop: Shop, seed: int) -> None:
        self.harness = harness
        self.shop = shop
        self.orders: list[LoadOrder] = []
        self.profiles = profiles(shop)
        self._chance = Random(seed)
        self._api = ApiClient(harness)
        self._number = next(_numbers)
        self._lock = Lock()
        self.error: BaseException | None = None

    def opens_orders(self, many: int) -> None:
        """Opens so many orders, each profile as often as any other."""
        for number in range(many):
            if number % len(self.profiles) == 0:
                self._chance.shuffle(self.profiles)
            self._one_more(self.profiles[number % len(self.profiles)])

    def _one_more(self, profile: OrderProfile) -> None:
        with self._lock:
            order = LoadOrder(self._api, profile, f"{self.shop.suffix}-{self._number}-{len(self.orders)}")
            self.orders.append(order)
        order.goes_on()

    @contextmanager
    def running(self, every: float = 0.15) -> Iterator[None]:
        """Inside the block a new order comes about every so many seconds, and each gets the requests that are due."""
        over = Event()
        thread = Thread(target=self._work, args=(over, every), name="load", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if self.error is not None:
            raise self.error

    def _work(self, over: Event, every: float) -> None:
        due = monotonic()
        try:
            while not over.wait(LOOK_EVERY):
                if monotonic() >= due:
                    due = monotonic() + self._chance.uniform(0.5, 1.5) * every
                    self._one_more(self._chance.choice(self.profiles))
                self.goes_on()
        except BaseException as error:
            self.error = error

    def goes_on(self) -> None:
        for order in list(self.orders):
            order.goes_on()

    @property
    def open_orders(self) -> list[LoadOrder]:
        return [order for order in self.orders if not order.has_ended]

    def all_end(self, limit: float) -> None:
        """All orders end within the limit, each as its profile says, and stock and credit agree with that."""
        end, pause = monotonic() + limit, Event()
        while self.open_orders:
            self.goes_on()
            assert monotonic() < end, (
                f"not ended within {limit:g} s: {[self._state_of(one) for one in self.open_orders]}"
            )
            pause.wait(LOOK_EVERY)
        wrong = [told for order in self.orders if (told := order.told_wrong())]
        assert not wrong, "\n".join(wrong)
        self._check_stock_and_credit()

    def _check_stock_and_credit(self) -> None:
        sold = sum(
            order.profile.quantity
            for order in self.orders
            if order.profile.ends[0] == "completed" and order.profile.sku == self.shop.sku("BONE")
        )
        stock = self.shop.stock_of("BONE")
        assert (stock.on_hand, stock.reserved, stock.shipped) == (ON_HAND - sold, 0, sold)
        for name in ("ada", "trudy", "poor"):
            assert self.shop.credit_of(name).reserved == 0, f"{name} has credit reserved"

    def _state_of(self, order: LoadOrder) -> str:
        seen = order.session
        steps = [f"{each['step']} {each['state']}" for each in seen.get("progress", ())]
        return f"{order.id or 'not opened'} ({order.profile.name}): {seen.get('status')}, {', '.join(steps)}"

    def close(self) -> None:
        self._api.close()
