"""The language of the scenario tests: a shop with goods, customers, a warehouse, and services that may fail.

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

from domain.messages import Command, Reply
from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.envelope import encode
from scenario_tests.api_client import ApiClient, content_of
from scenario_tests.broken_table import broken
from scenario_tests.business_tables import Rows, business_rows, difference
from scenario_tests.customer import CURRENCY, Customer, Stranger
from scenario_tests.harness import SERVICES, Harness
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.traffic import Change, HeldBack, Kind, Message, Selector, Traffic
from scenario_tests.waiting import until
from shop_manager.engine.tables import clerks
from shop_manager.processes.standard import STANDARD

PRICE = 1295
"""What an article costs unless a test says otherwise, in minor units."""
DEFAULT_SHOP = "squeaky-toys"
PROBE = "PROBE"
"""The article that `all_quiet` orders; no test uses it otherwise."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's credit as the risk service tells it, in minor units."""

    limit: int
    reserved: int
    outstanding: int
    score: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How many pieces of an article the warehouse has, by their state."""

    on_hand: int
    reserved: int
    shipped: int


class Shop:
    """The shop that a harness runs. `suffix` makes the names of one test different from those of the others."""

    def __init__(self, harness: Harness, api: ApiClient, suffix: str) -> None:
        self.harness = harness
        self.api = api
        self.suffix = suffix

    # --- the shop and its people -------------------------------------------------------------------------------------

    def stocks(self, sku: str, on_hand: int, price: int = PRICE) -> None:
        """A physical article can be ordered, and so many of it are in the warehouse."""
        self.sells(sku, price, "physical")
        path = f"/fulfillment/stock/{self.sku(sku)}"
        self.api.put("fulfillment", path, self.harness.keys.server, {"on_hand": on_hand})

    def sells(self, sku: str, price: int = PRICE, kind: str = "digital", withdrawn: bool = False) -> None:
        """An article can be ordered; a digital one needs no warehouse."""
        article = {"name": sku.title(), "unit_amount": price, "currency": CURRENCY, "kind": kind}
        article |= {"withdrawn": True} if withdrawn else {}
        self.api.put("shop", f"/shop/products/{self.sku(sku)}", self.harness.keys.server, article)

    def set_up(self) -> None:
        """What is there before the first test: the default shop, and the probe article."""
        content = {"name": "Squeaky Toys", "type": "physical"}
        self.api.put("shop_manager", f"/shop/shops/{DEFAULT_SHOP}", self.harness.keys.server, content)
        article = {"name": "Probe", "unit_amount": 1, "currency": CURRENCY, "kind": "physical"}
        self.api.put("shop", f"/shop/products/{PROBE}", self.harness.keys.server, article)
        self.api.put("fulfillment", f"/fulfillment/stock/{PROBE}", self.harness.keys.server, {"on_hand": 1})

    def customer(
        self, name: str, token: str | None = None, kind: str = "regular", limit: int | None = None
    ) -> Customer:
        """A named customer, of that type and with that credit limit; `token` is the card brought along to an order."""
        known = f"{name}-{self.suffix}"
        person = {"name": name.title(), "email": f"{known}@example.org", "type": kind}
        self.api.put("shop_manager", f"/shop/customers/{known}", self.harness.keys.server, person)
        if limit is not None:
            self.api.put("risk", f"/risk/customers/{known}", self.harness.keys.server, {"limit": limit})
        return Customer(self.api, known, token, self.sku)

    def guest(self, token: str | None = None) -> Customer:
        """Somebody without a name."""
        return Customer(self.api, None, token, self.sku)

    def stranger(self) -> Stranger:
        """Somebody who has no key, and whose sessions are counted."""
        return Stranger(self.api, self.sku)

    def branch(self, name: str, kind: str = "physical", allows_invoice: bool = False) -> str:
        """Another shop beside the default one; returns its id."""
        known = f"{name}-{self.suffix}"
        content = {"name": name.title(), "type": kind, "allows_invoice": allows_invoice}
        self.api.put("shop_manager", f"/shop/shops/{known}", self.harness.keys.server, content)
        return known

    def sku(self, word: str) -> str:
        return f"{word}-{self.suffix}"

    # --- what can be read ------------------------------------------------------------------------------------------

    def lists_shipments(self) -> None:
        """The warehouse looks at what is to be shipped."""
        self.api.get("fulfillment", "/fulfillment/shipments", self.harness.keys.warehouse)

    def catalogue_of(self, branch: str) -> set[str]:
        """The articles that this shop's catalogue shows, as the outside asks for it: at ShopManager."""
        found: set[str] = set()
        cursor = ""
        while True:
            path = f"/shop/products?shop={branch}&limit=200{cursor}"
            page = self.api.get("shop_manager", path, "")
            found |= {each["sku"] for each in page["data"]}
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def credit_of(self, name: str) -> Credit:
        seen = self.api.get("risk", f"/risk/customers/{name}-{self.suffix}", self.harness.keys.server)
        return Credit(seen["limit"], seen["reserved"], seen["outstanding"], seen["score"])

    def stock_of(self, sku: str) -> StockLevel:
        seen = self.api.get("fulfillment", f"/fulfillment/stock/{self.sku(sku)}", self.harness.keys.server)
        return StockLevel(seen["on_hand"], seen["reserved"], seen["shipped"])

    def parked(self) -> list[dict[str, Any]]:
        """What operators see parked, all pages of it."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.api.get("shop_manager", f"/ops/parked?limit=200{cursor}", self.harness.keys.operator)
            found += page["data"]
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def messages_handled(self) -> int:
        """How many messages the ShopManager behind this shop's URL has handled since it was started."""
        return int(self._figure("clerk_messages_handled_total"))

    def last_tick_age(self) -> float:
        """Seconds since the ShopManager behind this shop's URL looked for Clerks whose time has come."""
        return self._figure("clerk_last_tick_age_seconds")

    def _figure(self, metric: str) -> float:
        figures = self.api.ask("GET", "shop_manager", "/metrics", self.harness.keys.operator).text
        [found] = re.findall(rf'^{metric}\{{service="shop_manager"\}} (\S+)$', figures, re.MULTILINE)
        return float(found)

    @contextmanager
    def books_stay_as_they_are(self) -> Iterator[None]:
        """The business tables of shop and risk are the same after the block as before it, row for row (I6)."""
        before = self._business_rows_now()
        yield
        after = self._business_rows_now()
        changed = [line for service in before for line in difference(before[service], after[service])]
        assert not changed, "\n".join(["the business tables are not as before:", *changed])

    def _business_rows_now(self) -> dict[str, Rows]:
        return {service: business_rows(self.harness.database(service)) for service in ("shop", "risk")}

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """Inside the block the service is down; it is back at its end."""
        self.harness.stop(service)
        try:
            yield
        finally:
            self.harness.start(service)

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        self.harness.stop_broker()
        try:
            yield
        finally:
            self.harness.start_broker()

    def kills(self, service: str) -> None:
        """`kill -9`."""
        self.harness.kill(service)

    def restarts(self, service: str) -> None:
        self.harness.start(service)

    @contextmanager
    def delivers_twice(self, name: str | None = None) -> Iterator[Traffic]:
        """The command of this name and its answers, or simply everything, arrives twice."""
        with self.harness.traffic() as traffic, traffic.doubling(Selector(None, name)):
            yield traffic

    @contextmanager
    def delivers_often(self, command: str, times: int) -> Iterator[None]:
        """Every delivery of the command arrives so many times, at once."""
        with self.harness.traffic() as traffic, traffic.doubling(Selector("command", command), times):
            yield

    @contextmanager
    def holds_back(self, command: str, kind: Kind = "command") -> Iterator[HeldBack]:
        """The command does not arrive, until it is let go or the block ends."""
        with self.harness.traffic() as traffic, traffic.holding(Selector(kind, command)) as held:
            yield held

    @contextmanager
    def holds_back_answer(self, command: str) -> Iterator[HeldBack]:
        """The command arrives and is handled, but its answer does not come back."""
        with self.holds_back(command, "answer") as held:
            yield held

    @contextmanager
    def holds_back_notices(self) -> Iterator[None]:
        """ShopManager does not hear which messages services have parked, until the block ends."""
        with self.holds_back("MessageParked", "answer"):
            yield

    @contextmanager
    def changes_on_the_way(self, command: str, kind: Kind, change: Change) -> Iterator[Traffic]:
        """Every command of this name (or every answer to it) is changed on its way."""
        with self.harness.traffic() as traffic, traffic.rewriting(Selector(kind, command), change):
            yield traffic

    @contextmanager
    def answers_that_it_cannot(self, command: str, code: str, words: str) -> Iterator[None]:
        """Whoever is asked this says that it cannot, with this code and these words, until the block ends."""
        refused = {"outcome": "refused", "refusal": {"code": code, "detail": words}}
        with self.changes_on_the_way(command, "answer", lambda answer: {**answer, **refused}):
            yield

    def puts_on_queue(self, service: str, body: bytes, sender: str | None = "") -> None:
        """These bytes are on the service's queue now (shop_manager: the queue of replies).

        They come from `sender`; unless it is given, from somebody who may send there.
        """
        usual = "risk" if service == "shop_manager" else "shop_manager"
        self.harness.put(queue_of(service), body, usual if sender == "" else sender)

    def forges_command(self, name: str, clerk: str, step: str, document: dict[str, Any], sender: str | None) -> str:
        """`sender`, who is not ShopManager, asks a service to do this; returns the id of what it sends."""
        service = next(each.asks for each in STANDARD.steps if each.do == name)
        whole = {**document, "clerk": {**document.get("clerk", {}), "id": clerk}}
        forged = Command(service, name, 1, clerk, step, 1, "do", whole, None)
        self.puts_on_queue(service, b"[" + encode(forged) + b"]", sender)
        return forged.id

    def forges_answer(self, name: str, clerk: str, step: str, document: dict[str, Any], sender: str | None) -> str:
        """`sender`, who is not the service that the step asks, says it is done; returns the id of what it sends."""
        document = {"clerk": {"id": clerk}, **document}
        forged = Reply(name, 1, clerk, step, 1, "do", "done", None, document, None)
        self.puts_on_queue("shop_manager", b"[" + encode(forged) + b"]", sender)
        return forged.id

    def has_parked_as_forged(self, message: str, only: str) -> None:
        """Wait until operators see this message parked, because only that service may say it."""
        said = f"{only}' may say this"  # whatever the template makes of the service's name
        until(
            lambda: any(each["message"] == message and said in each["reason"] for each in self.parked()),
            lambda: f"{message} is parked, for it is for {only} to say; parked are {self.parked()}",
        )

    def puts_answer(self, answer: Message, sender: str | None, **changes: Any) -> None:
        """An answer that was seen before comes once more from `sender`, changed like this."""
        changed = {**answer, **changes}
        changed["in_reply_to"] = f"{changed['clerk']}/{changed['step']}/{changed['attempt']}/{changed['direction']}"
        whole = {**changed, "id": f"{changed['in_reply_to']}/reply"}
        self.puts_on_queue("shop_manager", json.dumps([whole]).encode(), sender)

    def all_quiet(self) -> None:
        """Wait until what was sent is handled: an order opened after it has gone through every queue and back."""
        probe = {"items": [{"sku": PROBE, "quantity": 1}], "payment": {"token": "tok_capture_refused"}}
        opened = self.api.ask("POST", "shop_manager", "/shop/session", self.harness.keys.server, probe)
        OrderUnderTest(self.api, content_of(opened, 201), str).becomes("failed", because="capture_refused")

    def lets_time_pass(self, *orders: OrderUnderTest) -> None:
        """The time limit of each present step is over now, all at once: no test waits two weeks for an invoice."""
        with self.harness.database("shop_manager").begin() as tx:
            now = tx.lock([each.id for each in orders])
            for each in orders:
                chosen = clerks.c.id == each.id
                state = json.loads(tx.execute(select(clerks.c.state).where(chosen)).scalar_one())
                state["question"]["deadline"] = now
                changed = {"state": json.dumps(state), "wake_at": now, "revision": clerks.c.revision + 1}
                tx.execute(update(clerks).where(chosen).values(changed))

    def table_is_broken(self, service: str, table: str) -> AbstractContextManager[None]:
        """Inside the block nothing can be deleted from the table: whatever tries it fails. Repaired at the end."""
        return broken(self.harness.database(service), table)

    @contextmanager
    def another_manager(self) -> Iterator[Shop]:
        """A second ShopManager on the same data; the shop that is given sends its requests to it."""
        with self.harness.another_manager() as url:
            api = ApiClient(self.harness, {"shop_manager": url})
            yield Shop(self.harness, api, self.suffix)
            api.close()


def queue_of(service: str) -> str:
    assert service in SERVICES
    return REPLIES_QUEUE if service == "shop_manager" else commands_queue(service)
