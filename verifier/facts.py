"""What all five services say about one Clerk, gathered: ShopManager first, then the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fulfillment_service import audit as fulfillment_audit
from fulfillment_service.audit import FulfillmentFacts
from messaging.audit import TurnFacts
from messaging.database import Database
from payment_service import audit as payment_audit
from payment_service.audit import PaymentFacts
from risk_service import audit as risk_audit
from risk_service.audit import RiskFacts
from shop_manager import audit as manager_audit
from shop_manager.audit import ClerkFacts, PulseFacts
from shop_manager.processes import Catalogue
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step
from shop_manager.repairs import is_repair
from shop_manager.saga import Saga
from shop_service import audit as shop_audit
from shop_service.audit import ShopFacts

Databases = Mapping[str, Database]
"""By service: shop_manager, shop, risk, payment, fulfillment."""


@dataclass(frozen=True, slots=True)
class Services:
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


@dataclass(frozen=True, slots=True)
class Facts:
    """One Clerk and what the services have of it. `process` is None for one that this version does not know."""

    clerk: ClerkFacts
    saga: Saga
    process: Process | None
    services: Services
    pulse: PulseFacts

    @property
    def id(self) -> str:
        return self.clerk.id

    @property
    def failed(self) -> bool:
        """Has it ended without being completed?"""
        return self.saga.ended and self.saga.status != "completed"

    def step_of(self, command: str) -> Step | None:
        """The step at which the process asks this command."""
        steps = self.process.steps if self.process else ()
        return next((step for step in steps if step.do == command), None)

    def state_of(self, command: str) -> str:
        """How far the step with this command is; `none` where the process has no such step."""
        step = self.step_of(command)
        return self.saga.state_of(step.name) if step else "none"

    def has_undo_at(self, service: str) -> bool:
        """Does the process know how to undo this service's part?"""
        steps = self.process.steps if self.process else ()
        return any(step.asks == service and step.undo not in (None, NOTHING_TO_UNDO) for step in steps)

    @property
    def repaired(self) -> frozenset[str]:
        """Steps whose undo was asked once more by a repair, after the end."""
        return frozenset(entry.step for _, entry in self.clerk.history if entry.step and is_repair(entry))

    @property
    def settled(self) -> frozenset[str]:
        """Services for which an operator has answered: what they have themselves is then no evidence of anything."""
        names = {entry.step for _, entry in self.clerk.history if entry.what == "settled"}
        steps = self.process.steps if self.process and names else ()
        return frozenset(step.asks for step in steps if step.name in names)

    @property
    def ended_at(self) -> int:
        """When it ended; notes may have come since."""
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
        clerks = manager_audit.read(tx, ids)
        pulse = manager_audit.pulse(tx)
    if now is not None:
        pulse = PulseFacts(now, pulse.beat_at, pulse.outage_end)
    services = gather_services(databases, ids)
    known = processes()
    facts = [
        Facts(clerk, clerk.saga, known.get(clerk.saga.process), services[clerk.id], pulse)
        for clerk in clerks.values()
        if clerk.saga
    ]
    return Gathered(facts, [clerk for clerk in clerks.values() if not clerk.saga])


def gather_services(databases: Databases, ids: Sequence[str]) -> dict[str, Services]:
    """What the services have of each of these Clerks."""
    with databases["shop"].read() as tx:
        shop = shop_audit.read(tx, ids)
    with databases["risk"].read() as tx:
        risk = risk_audit.read(tx, ids)
    with databases["payment"].read() as tx:
        payment = payment_audit.read(tx, ids)
    with databases["fulfillment"].read() as tx:
        fulfillment = fulfillment_audit.read(tx, ids)
    return {
        clerk: Services(
            shop.get(clerk, shop_audit.NOTHING),
            risk.get(clerk, risk_audit.NOTHING),
            payment.get(clerk, payment_audit.NOTHING),
            fulfillment.get(clerk, fulfillment_audit.NOTHING),
        )
        for clerk in ids
    }


def calling(databases: Databases, ids: Sequence[str]) -> set[str]:
    """Those of the Clerks for whom the payment provider owes an answer."""
    with databases["payment"].read() as tx:
        found = payment_audit.read(tx, ids)
    return {clerk for clerk, facts in found.items() if facts.payment and facts.payment.calling}


def pages(databases: Databases, service: str, most: int) -> Iterator[list[str]]:
    """The ids of all Clerks that a service has anything of, page by page."""
    after_of = {
        "shop_manager": manager_audit.clerks_after,
        "shop": shop_audit.sessions_after,
        "risk": risk_audit.sessions_after,
        "payment": payment_audit.sessions_after,
        "fulfillment": fulfillment_audit.sessions_after,
    }[service]
    after = ""
    while True:
        with databases[service].read() as tx:
            ids = after_of(tx, after, most)
        if not ids:
            return
        yield ids
        if len(ids) < most:
            return
        after = ids[-1]


@cache
def processes() -> Mapping[str, Process]:
    """The processes of this version, by reference."""
    return Catalogue().by_reference
