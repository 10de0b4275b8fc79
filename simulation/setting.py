"""Sets the stage: what is in the stores before a scenario begins, and when each participant has something to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from domain.messages import SHOP_MANAGER, Message
from domain.times import seconds
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.stock import Stock
from fulfillment_service.store import stock
from messaging.broker import REPLIES_QUEUE
from messaging.envelope import encode, exchange_and_key
from messaging.outbox import RELAY_AFTER_MS
from payment_service.provider import Provider
from risk_service.settings import RiskSettings
from risk_service.store import accounts
from shop_manager import demo
from shop_manager.settings import ShopManagerSettings
from shop_service.catalogue import Product
from shop_service.store import products
from simulation.broker import SimulatedBroker
from simulation.clock import BEGINNING
from simulation.participants import CATALOGUE, Participant, Surroundings, Wrap
from simulation.ported import Unguarded
from simulation.scenario import DOWNLOADS, PRICES, Scenario
from simulation.stores import Stores

ENDED = ("completed", "failed", "canceled", "expired")
TICK_MS = 250
RELAY_MS = 1_000
TIDY_MS = 10_000
"""Ticks that would only forget what was sent long ago are played this seldom."""
AUTO_AFTER = 1.0
Choice = tuple[int, Participant, str, Callable[[Participant], object]]
"""(moment, who, what, act): something that a participant could do next."""
RISK = RiskSettings(_env_file=None)
MANAGER = ShopManagerSettings(_env_file=None)
WAREHOUSES = {
    "at_once": FulfillmentSettings(_env_file=None, warehouse="auto", auto_after=0),
    "auto": FulfillmentSettings(_env_file=None, warehouse="auto", auto_after=AUTO_AFTER),
    "by_hand": FulfillmentSettings(_env_file=None, warehouse="manual"),
}


def furnish(stores: Stores, scenario: Scenario) -> None:
    """Empty stores with the scenario's articles, stock and limits in them, at the beginning of time."""
    stores.guard = Unguarded()
    stores.clock.restart()
    stores.empty()
    with stores.plain[SHOP_MANAGER].begin() as tx:
        demo.fill(tx)
    with stores.plain["shop"].begin() as tx:
        physical = [Product(sku, sku.title(), price, "EUR", "physical") for sku, price in PRICES.items()]
        digital = [Product(sku, sku.title(), price, "EUR", "digital") for sku, price in DOWNLOADS.items()]
        tx.insert(products, [asdict(product) for product in physical + digital])
    with stores.plain["fulfillment"].begin() as tx:
        tx.insert(stock, [asdict(Stock(sku, pieces)) for sku, pieces in scenario.stock.items()])
    with stores.plain["risk"].begin() as tx:
        limits = scenario.limits.items()
        rows = [{"customer": name, "credit_limit": limit, "outstanding": 0, "score": 500} for name, limit in limits]
        tx.insert(accounts, rows)


def surroundings(
    scenario: Scenario, broker: SimulatedBroker, stores: Stores, wrap: Wrap, provider: Provider
) -> Surroundings:
    return Surroundings(broker, stores.ported, wrap, provider, WAREHOUSES[scenario.warehouse], MANAGER, RISK)


class Timetable:
    """When each participant has something to do next. Moments that are rows are read again after a commit only."""

    def __init__(self, stores: Stores, participants: Mapping[str, Participant]) -> None:
        self._stores = stores
        self._participants = participants
        self._ticks: dict[str, int | None] = {}
        self._unsent: dict[str, list[tuple[int, int]]] = {}
        self._relays: dict[str, int | None] = {}

    def look_again(self, service: str) -> None:
        """Something was committed there."""
        self._ticks.pop(service, None)
        self._unsent.pop(service, None)

    def has_acted(self, service: str) -> None:
        """What its participants know to be sent may have changed, or who there is to know."""
        for name in [name for name in self._relays if name.startswith(service)]:
            del self._relays[name]

    def of(self, who: Participant, broker: SimulatedBroker) -> list[Choice]:
        """(moment, who, what, act)."""
        choices: list[Choice] = []
        connected = who.link.connected
        if connected:
            due = broker.next_due(who.link.consumes or "")
            if due is not None:
                choices.append((due, who, "round", Participant.rounds))
            relay = self._relays[who.name] if who.name in self._relays else self._relay_due(who)
            if relay is not None:
                choices.append((max(relay, who.next_relay), who, "relay", self._relay))
        if who.worker.held:
            held = BEGINNING + 1 + round(min(item.due for item in who.worker.held) * 1000)
            choices.append((held, who, "round", Participant.rounds))
        if who.calls and who.has_post():
            choices.append((0, who, "calls", Participant.calls_rounds))
        if who.ticks and (connected or who.manager is None):
            due = self._tick_due(who.service)
            if due is not None:
                choices.append((max(due, who.next_tick), who, "tick", self._tick))
        return choices

    def _relay_due(self, who: Participant) -> int | None:
        """What nobody knows to be sent is sent by anybody; who knows that it was tidies up when there is time."""
        found = self._relays[who.name] = self._found_unsent(who)
        return found

    def _found_unsent(self, who: Participant) -> int | None:
        unsent = self._unsent.get(who.service)
        if unsent is None:
            rows = self._stores.peek(who.service, "SELECT number, written_at FROM outbox ORDER BY number")
            unsent = self._unsent[who.service] = [(number, at) for number, at in rows]
        if not unsent:
            return None
        mine = who.confirmed()
        known = set(mine).union(
            *(each.confirmed() for each in self._participants.values() if each.alive and each.service == who.service)
        )
        left = [at for number, at in unsent if number not in known]
        tidy = [at + TIDY_MS for number, at in unsent if number in mine]
        return min([at + RELAY_AFTER_MS for at in left] + tidy, default=None)

    def _relay(self, who: Participant) -> None:
        who.next_relay = self._stores.clock.now + RELAY_MS
        who.outbox.relay()

    def _tick(self, who: Participant) -> None:
        who.next_tick = self._stores.clock.now + TICK_MS
        for tick in who.ticks:
            tick()
        if who.calls:
            who.calls.round(0)

    def _tick_due(self, service: str) -> int | None:
        if service in self._ticks:
            return self._ticks[service]
        due: int | None
        [(due,)] = self._stores.peek(service, _TICKS[service])
        if due is not None and service == "fulfillment":
            due += seconds(AUTO_AFTER)
        self._ticks[service] = due
        return due

    def service_of(self, step: str) -> str:
        """Who does a step, in whichever process it is."""
        return next(
            each.asks for process in CATALOGUE.by_reference.values() for each in process.steps if each.name == step
        )

    def copies(self, messages: Sequence[Message]) -> list[tuple[str, str, bytes]]:
        """(queue, routing key, body) of the same replies once more."""
        return [(REPLIES_QUEUE, exchange_and_key(message)[1], b"[" + encode(message) + b"]") for message in messages]


_TICKS = {
    SHOP_MANAGER: "SELECT min(wake_at) FROM clerks",
    "payment": "SELECT min(next_try_at) FROM provider_calls",
    "fulfillment": "SELECT min(asked_at) FROM shipments WHERE status = 'requested'",
}
