"""Rows that services have of Clerks that ShopManager does not know: nobody would ever undo them."""

from __future__ import annotations

from collections.abc import Iterator

from payment_service import audit as payment_audit
from shop_manager import audit as manager_audit
from verifier.drift import Drift
from verifier.facts import Databases, Services, gather_services, pages
from verifier.remedies import RESTORED

PAGE = 1000
SERVICES = ("shop", "risk", "payment", "fulfillment")
UNKNOWN = "ShopManager knows the Clerk"


def check_strangers(databases: Databases) -> Iterator[Drift]:
    """Read at the service first, and then looked for at ShopManager, who makes each Clerk before anybody is asked."""
    for service in SERVICES:
        for ids in pages(databases, service, PAGE):
            with databases["shop_manager"].read() as tx:
                strange = sorted(set(ids) - manager_audit.known(tx, ids))
            for clerk, facts in gather_services(databases, strange).items() if strange else ():
                yield from _found(service, clerk, facts)
    yield from _strange_money(databases)


def _found(service: str, clerk: str, facts: Services) -> Iterator[Drift]:
    """The worst that this service has of the stranger."""
    shipment, payment, risk, shop = facts.fulfillment.shipment, facts.payment.payment, facts.risk, facts.shop
    if service == "risk" and (risk.reservation or risk.settlement):
        yield Drift("I5", clerk, UNKNOWN, f"risk has {risk.reservation or risk.settlement}", RESTORED)
    elif service == "fulfillment" and shipment:
        yield Drift("I4", clerk, UNKNOWN, f"fulfillment has goods, {shipment.status}", RESTORED)
    elif service == "payment" and payment:
        yield Drift("I3", clerk, UNKNOWN, f"payment has {payment.amount}, {payment.status}", RESTORED)
    elif service == "shop" and (shop.cart or shop.order or shop.loose):
        yield Drift("I6", clerk, UNKNOWN, "the shop has a cart or an order", RESTORED)
    else:
        yield Drift("I8", clerk, UNKNOWN, f"{service} was asked for it", RESTORED)


def _strange_money(databases: Databases) -> Iterator[Drift]:
    after: str | None = ""
    while after is not None:
        with databases["payment"].read() as tx:
            strange, after = payment_audit.strange_payments(tx, after, PAGE)
        for reference in strange:
            expected = "payment has every payment that the provider has"
            yield Drift("I3", None, expected, f"only the provider has {reference}", RESTORED)
