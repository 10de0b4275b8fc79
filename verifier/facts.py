"""Gathers what all five services have of some Clerks, from the `facts.py` of each; ShopManager is read first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from fulfillment_service import facts as fulfillment_facts
from fulfillment_service.facts import FulfillmentFacts
from messaging.database import Database
from messaging.facts import TurnFacts, as_span
from payment_service import facts as payment_facts
from payment_service.facts import PaymentFacts
from risk_service import facts as risk_facts
from risk_service.facts import RiskFacts
from shop_manager import facts as manager_facts
from shop_manager.facts import ClerkFacts, HeartbeatFacts
from shop_manager.processes import ProcessRegistry
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step
from shop_manager.saga.repairing import is_repair
from shop_manager.saga.state import Saga
from shop_service import facts as shop_facts
from shop_service.facts import ShopFacts

Databases = Mapping[str, Database]
"""By service: shop_manager, shop, risk, payment, fulfillment."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What the four services have of one Clerk."""

    shop: ShopFacts
    risk: RiskFacts
    payment: PaymentFacts
    fulfillment: FulfillmentFacts

    def turns(self) -> dict[str, Mapping[str, TurnFacts]]:
        """By service, by step."""
        return {
            "shop": self.shop.turns,
            "risk": self.risk.turns,
            "payment": self.payment.turns,
            "fulfillment": self.fulfillment.turns,
        }


@dataclass(frozen=True)
class Facts:
    """One Clerk and what the services have of it. `process` is None for one that this version does not know."""

    clerk: ClerkFacts
    saga: Saga
    process: Process | None
    services: ServiceFacts
    heartbeat: HeartbeatFacts

    @property
    def id(self) -> str:
        return self.clerk.id

    @property
    def failed(self) -> bool:
        """Has it ended without being completed?"""
        return self.saga.ended and self.saga.status != "completed"

    def state_of(self, command: str) -> str:
        """The state of the step with this command; `none` where the process has no such step."""
        return self._states.get(command, "none")

    @cached_property
    def _states(self) -> Mapping[str, str]:
        """By the command of each step."""
        steps = self.process.steps if self.process else ()
        return {step.do: self.saga.state_of(step.name) for step in reversed(steps)}

    def has_undo_at(self, service: str) -> bool:
        """Does the process know how to undo this service's part?"""
        steps = self.process.steps if self.process else ()
        return any(step.asks == service and step.undo not in (None, NOTHING_TO_UNDO) for step in steps)

    @cached_property
    def happened(self) -> frozenset[str]:
        """What its history has entries of: most Clerks have none of what seldom happens."""
        return frozenset([entry.what for _, entry in self.clerk.history])

    @cached_property
    def repaired(self) -> frozenset[str]:
        """Steps whose undo was asked once more by a repair, after the end."""
        if "note" not in self.happened:
            return frozenset()
        return frozenset(entry.step for _, entry in self.clerk.history if entry.step and is_repair(entry))

    @cached_property
    def put_back(self) -> frozenset[str]:
        """Services whose part was undone by a repair: a turn that ShopManager never heard of is over by that."""
        steps = self.process.steps if self.process and self.repaired else ()
        return frozenset(step.asks for step in steps if step.name in self.repaired)

    @cached_property
    def settled(self) -> frozenset[str]:
        """Services for which an operator has answered: their own rows of this Clerk are then no evidence."""
        if "settled" not in self.happened:
            return frozenset()
        names = {entry.step for _, entry in self.clerk.history if entry.what == "settled"}
        steps = self.process.steps if self.process and names else ()
        return frozenset(step.asks for step in steps if step.name in names)

    @property
    def ended_at(self) -> int:
        """When it ended; notes may have been added since."""
        return next((entry.at for _, entry in self.clerk.history if entry.what == "ended"), self.saga.updated_at)

    def asks(self, service: str) -> bool:
        """Is this service asked at the moment? Then its rows may be as before the answer or as after it."""
        step = self.asked_step
        return step is not None and step.asks == service

    @property
    def asked_step(self) -> Step | None:
        """The step of the outstanding question."""
        question, steps = self.saga.question, self.process.steps if self.process else ()
        return next((step for step in steps if question and step.name == question.step), None)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Some Clerks, and those of them whose stored state cannot be read."""

    facts: Sequence[Facts]
    broken: Sequence[ClerkFacts]


def gather(databases: Databases, ids: Sequence[str], now: int | None = None) -> Gathered:
    """The facts about these Clerks. ShopManager is read first, so the services may only be ahead of it."""
    with databases["shop_manager"].read() as tx:
        clerks = manager_facts.read(tx, ids)
        heartbeat = manager_facts.read_heartbeat(tx)
    if now is not None:
        heartbeat = HeartbeatFacts(now, heartbeat.beat_at, heartbeat.outage_end)
    services = gather_services(databases, ids)
    known = processes()
    facts = [
        Facts(clerk, clerk.saga, known.get(clerk.saga.process), services[clerk.id], heartbeat)
        for clerk in clerks.values()
        if clerk.saga
    ]
    return Gathered(facts, [clerk for clerk in clerks.values() if not clerk.saga])


def gather_services(databases: Databases, ids: Sequence[str]) -> dict[str, ServiceFacts]:
    """What the services have of each of these Clerks."""
    with databases["shop"].read() as tx:
        shop = shop_facts.read(tx, ids)
    with databases["risk"].read() as tx:
        risk = risk_facts.read(tx, ids)
    with databases["payment"].read() as tx:
        payment = payment_facts.read(tx, ids)
    with databases["fulfillment"].read() as tx:
        fulfillment = fulfillment_facts.read(tx, ids)
    return {
        clerk: ServiceFacts(
            shop.get(clerk, shop_facts.NOTHING),
            risk.get(clerk, risk_facts.NOTHING),
            payment.get(clerk, payment_facts.NOTHING),
            fulfillment.get(clerk, fulfillment_facts.NOTHING),
        )
        for clerk in ids
    }


def calling(databases: Databases, ids: Sequence[str]) -> set[str]:
    """Those of the Clerks for whom the payment provider owes an answer."""
    with databases["payment"].read() as tx:
        found = payment_facts.read(tx, ids)
    return {clerk for clerk, facts in found.items() if facts.payment and facts.payment.calling}


def pages(databases: Databases, service: str, most: int) -> Iterator[list[str]]:
    """The ids of all Clerks that a service has anything of, page by page."""
    after_of = {
        "shop_manager": manager_facts.clerks_after,
        "shop": shop_facts.sessions_after,
        "risk": risk_facts.sessions_after,
        "payment": payment_facts.sessions_after,
        "fulfillment": fulfillment_facts.sessions_after,
    }[service]
    after = ""
    while True:
        with databases[service].read() as tx:
            ids = after_of(tx, after, most)
        if not ids:
            return
        yield as_span(ids)
        if len(ids) < most:
            return
        after = ids[-1]


@cache
def processes() -> Mapping[str, Process]:
    """The processes of this version, by reference."""
    return ProcessRegistry().by_reference
