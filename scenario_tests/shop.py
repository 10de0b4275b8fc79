"""The words of the scenario tests: a shop with goods, customers, a warehouse, and services that may fail.

Names are each test's own: `"SQUEAKY-BONE"` and `"ada"` of one test are not those of another, so one running shop
serves all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from messaging.broker import REPLIES_QUEUE, commands_queue
from scenario_tests.books import Rows, business_rows, difference
from scenario_tests.broken_table import broken
from scenario_tests.clerk_on_stage import ClerkOnStage
from scenario_tests.customer import CURRENCY, Customer
from scenario_tests.stage import SERVICES, Stage
from scenario_tests.traffic import Change, Held, Kind, Message, Traffic, Which
from scenario_tests.waiting import until
from scenario_tests.wire import Wire, content_of
from shop_manager.store import clerks

PRICE = 1295
"""What an article costs unless a test says otherwise, in minor units."""
DEFAULT_SHOP = "squeaky-toys"
PROBE = "PROBE"
"""An article of no test: what is ordered to see whether all queues are worked off."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's standing at risk, in minor units."""

    limit: int
    reserved: int
    outstanding: int
    score: int


@dataclass(frozen=True, slots=True)
class Stock:
    """An article in the warehouse."""

    on_hand: int
    reserved: int
    shipped: int


class Shop:
    """A shop on a stage. `mark` makes the names of one test different from those of the others."""

    def __init__(self, stage: Stage, wire: Wire, mark: str) -> None:
        self.stage = stage
        self.wire = wire
        self.mark = mark

    # --- the shop and its people -------------------------------------------------------------------------------------

    def stocks(self, sku: str, on_hand: int, price: int = PRICE) -> None:
        """A physical article is on the shelf, and so many of it are in the warehouse."""
        self.sells(sku, price, "physical")
        path = f"/fulfillment/stock/{self.sku(sku)}"
        self.wire.put("fulfillment", path, self.stage.keys.server, {"on_hand": on_hand})

    def sells(self, sku: str, price: int = PRICE, kind: str = "digital", withdrawn: bool = False) -> None:
        """An article is on the shelf; a digital one needs no warehouse."""
        article = {"name": sku.title(), "unit_amount": price, "currency": CURRENCY, "kind": kind}
        article |= {"withdrawn": True} if withdrawn else {}
        self.wire.put("shop", f"/shop/products/{self.sku(sku)}", self.stage.keys.server, article)

    def furnish(self) -> None:
        """What is there before the first test: the shop for everybody, and the probe."""
        content = {"name": "Squeaky Toys", "type": "physical"}
        self.wire.put("shop_manager", f"/shop/shops/{DEFAULT_SHOP}", self.stage.keys.server, content)
        article = {"name": "Probe", "unit_amount": 1, "currency": CURRENCY, "kind": "physical"}
        self.wire.put("shop", f"/shop/products/{PROBE}", self.stage.keys.server, article)
        self.wire.put("fulfillment", f"/fulfillment/stock/{PROBE}", self.stage.keys.server, {"on_hand": 1})

    def customer(
        self, name: str, token: str | None = None, kind: str = "regular", limit: int | None = None
    ) -> Customer:
        """A named customer, of that type and with that credit limit; `token` is the card brought along to an order."""
        known = f"{name}-{self.mark}"
        person = {"name": name.title(), "email": f"{known}@example.org", "type": kind}
        self.wire.put("shop_manager", f"/shop/customers/{known}", self.stage.keys.server, person)
        if limit is not None:
            self.wire.put("risk", f"/risk/customers/{known}", self.stage.keys.server, {"limit": limit})
        return Customer(self.wire, known, token, self.sku)

    def guest(self, token: str | None = None) -> Customer:
        """Somebody without a name."""
        return Customer(self.wire, None, token, self.sku)

    def branch(self, name: str, kind: str = "physical", allows_invoice: bool = False) -> str:
        """Another shop of the house; returns its id."""
        known = f"{name}-{self.mark}"
        content = {"name": name.title(), "type": kind, "allows_invoice": allows_invoice}
        self.wire.put("shop_manager", f"/shop/shops/{known}", self.stage.keys.server, content)
        return known

    def sku(self, word: str) -> str:
        return f"{word}-{self.mark}"

    # --- what is to be seen ------------------------------------------------------------------------------------------

    def credit_of(self, name: str) -> Credit:
        seen = self.wire.get("risk", f"/risk/customers/{name}-{self.mark}", self.stage.keys.server)
        return Credit(seen["limit"], seen["reserved"], seen["outstanding"], seen["score"])

    def stock_of(self, sku: str) -> Stock:
        seen = self.wire.get("fulfillment", f"/fulfillment/stock/{self.sku(sku)}", self.stage.keys.server)
        return Stock(seen["on_hand"], seen["reserved"], seen["shipped"])

    def parked(self) -> list[dict[str, Any]]:
        """What operators see parked, all pages of it."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.wire.get("shop_manager", f"/ops/parked?limit=200{cursor}", self.stage.keys.operator)
            found += page["data"]
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def answers_taken_by_its_manager(self) -> int:
        """How many messages the ShopManager behind this shop's door has handled since it was started."""
        figures = self.wire.ask("GET", "shop_manager", "/metrics", self.stage.keys.operator).text
        found = re.findall(r'clerk_messages_handled_total\{service="shop_manager"\} (\S+)', figures)
        return int(float(found[0]))

    @contextmanager
    def books_stay_as_they_are(self) -> Iterator[None]:
        """The business tables of shop and risk are the same after the block as before it, row for row (I6)."""
        before = self._books()
        yield
        after = self._books()
        changed = [line for service in before for line in difference(before[service], after[service])]
        assert not changed, "\n".join(["the books are not as before:", *changed])

    def _books(self) -> dict[str, Rows]:
        return {service: business_rows(self.stage.database(service)) for service in ("shop", "risk")}

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """Inside the block the service is down; it is back at its end."""
        self.stage.stop(service)
        try:
            yield
        finally:
            self.stage.start(service)

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        self.stage.stop_broker()
        try:
            yield
        finally:
            self.stage.start_broker()

    def kills(self, service: str) -> None:
        """`kill -9`."""
        self.stage.kill(service)

    def restarts(self, service: str) -> None:
        self.stage.start(service)

    @contextmanager
    def delivers_twice(self, name: str | None = None) -> Iterator[Traffic]:
        """The command of this name and its answers, or simply everything, arrives twice."""
        with self.stage.traffic() as traffic, traffic.doubling(Which(None, name)):
            yield traffic

    @contextmanager
    def holds_back(self, command: str, kind: Kind = "command") -> Iterator[Held]:
        """The command does not arrive, until it is let go or the block ends."""
        with self.stage.traffic() as traffic, traffic.holding(Which(kind, command)) as held:
            yield held

    @contextmanager
    def holds_back_answer(self, command: str) -> Iterator[Held]:
        """The command arrives and is handled, but its answer does not come back."""
        with self.holds_back(command, "answer") as held:
            yield held

    @contextmanager
    def changes_on_the_way(self, command: str, kind: Kind, change: Change) -> Iterator[Traffic]:
        """Every command of this name (or every answer to it) is changed on its way."""
        with self.stage.traffic() as traffic, traffic.rewriting(Which(kind, command), change):
            yield traffic

    def puts_on_queue(self, service: str, body: bytes) -> None:
        """These bytes are on the service's queue now (shop_manager: the queue of replies)."""
        self.stage.put(queue_of(service), body)

    def puts_answer(self, answer: Message, **changes: Any) -> None:
        """The answer, seen before, comes once more, changed like this."""
        forged = {**answer, **changes}
        forged["in_reply_to"] = f"{forged['clerk']}/{forged['step']}/{forged['attempt']}/{forged['direction']}"
        self.puts_on_queue("shop_manager", json.dumps([{**forged, "id": f"{forged['in_reply_to']}/reply"}]).encode())

    def all_quiet(self) -> None:
        """Everything that was on its way has arrived: an order sent after it went through every queue and back."""
        probe = {"items": [{"sku": PROBE, "quantity": 1}], "payment": {"token": "tok_capture_refused"}}
        opened = self.wire.ask("POST", "shop_manager", "/shop/session", self.stage.keys.server, probe)
        ClerkOnStage(self.wire, content_of(opened, 201), str).becomes("failed")

    def worked_off(self, service: str) -> None:
        """Wait until nothing waits on the service's queue."""
        until(lambda: not self.stage.depth(queue_of(service)), f"the queue of {service} is worked off")

    def lets_time_pass(self, clerk: ClerkOnStage) -> None:
        """The limit of the step that the Clerk is at is over now: nobody waits two weeks for an invoice in a test."""
        with self.stage.database("shop_manager").begin() as tx:
            now = tx.lock([clerk.id])
            chosen = clerks.c.id == clerk.id
            state = json.loads(tx.execute(select(clerks.c.state).where(chosen)).scalar_one())
            state["question"]["deadline"] = now
            changed = {"state": json.dumps(state), "wake_at": now, "revision": clerks.c.revision + 1}
            tx.execute(update(clerks).where(chosen).values(changed))

    def table_is_broken(self, service: str, table: str) -> AbstractContextManager[None]:
        """Inside the block nothing can be deleted from the table: whatever tries it fails. Repaired at the end."""
        return broken(self.stage.database(service), table)

    @contextmanager
    def another_manager(self) -> Iterator[Shop]:
        """A second ShopManager on the same data; the shop that is given goes in by its door."""
        with self.stage.another_manager() as door:
            wire = Wire(self.stage, {"shop_manager": door})
            yield Shop(self.stage, wire, self.mark)
            wire.close()


def queue_of(service: str) -> str:
    assert service in SERVICES
    return REPLIES_QUEUE if service == "shop_manager" else commands_queue(service)
