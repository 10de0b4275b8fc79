"""Orphans: rows that services have of Clerks that ShopManager does not know. Nothing would ever undo them."""

from __future__ import annotations

from collections.abc import Iterator

from payment_service import facts as payment_facts
from shop_manager import facts as manager_facts
from verifier.facts import Databases, ServiceFacts, gather_services, pages
from verifier.repairs import RESTORED
from verifier.violation import Violation

PAGE = 1000
SERVICES = ("shop", "risk", "payment", "fulfillment")
UNKNOWN = "ShopManager knows the Clerk"


def check_orphans(databases: Databases) -> Iterator[Violation]:
    """Reads each service first and ShopManager after it: a Clerk is stored there before any service is asked."""
    for service in SERVICES:
        for ids in pages(databases, service, PAGE):
            with databases["shop_manager"].read() as tx:
                orphans = sorted(set(ids) - manager_facts.known(tx, ids))
            for clerk, facts in gather_services(databases, orphans).items() if orphans else ():
                yield from _found(service, clerk, facts)
    yield from _orphan_payments(databases)


def _found(service: str, clerk: str, facts: ServiceFacts) -> Iterator[Violation]:
    """The most important of what this service has of a Clerk that is not known."""
    shipment, payment, risk, shop = facts.fulfillment.shipment, facts.payment.payment, facts.risk, facts.shop
    if service == "risk" and (risk.reservation or risk.settlement):
        yield Violation("I5", clerk, UNKNOWN, f"risk has {risk.reservation or risk.settlement}", RESTORED)
    elif service == "fulfillment" and shipment:
        yield Violation("I4", clerk, UNKNOWN, f"fulfillment has goods, {shipment.status}", RESTORED)
    elif service == "payment" and payment:
        yield Violation("I3", clerk, UNKNOWN, f"payment has {payment.amount}, {payment.status}", RESTORED)
    elif service == "shop" and (shop.cart or shop.order or shop.loose):
        yield Violation("I6", clerk, UNKNOWN, "the shop has a cart or an order", RESTORED)
    else:
        yield Violation("I8", clerk, UNKNOWN, f"{service} was asked for it", RESTORED)


def _orphan_payments(databases: Databases) -> Iterator[Violation]:
    after: str | None = ""
    while after is not None:
        with databases["payment"].read() as tx:
            orphans, after = payment_facts.orphan_payments(tx, after, PAGE)
        for reference in orphans:
            expected = "payment has every payment that the provider has"
            yield Violation("I3", None, expected, f"only the provider has {reference}", RESTORED)
