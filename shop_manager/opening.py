"""Opening a session: who may, in which shop, on which process; all of it in one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from domain.document import Document
from domain.ids import RANDOMNESS, clerk_id
from domain.times import seconds, to_wire
from doors.callers import Caller
from doors.problems import Problem, invalid
from messaging.broker import Parcel
from messaging.database import Tx
from messaging.outbox import Outbox
from shop_manager.directory import Customer, Shop, look_up
from shop_manager.happenings import Started
from shop_manager.idempotency import Answer, InHand, Request, TakenMeanwhile, find, keep, request_of
from shop_manager.manager import Manager
from shop_manager.opening_request import OpenSession
from shop_manager.processes import Choice
from shop_manager.public import public_session, steps_of, with_secret
from shop_manager.secrets import ClientSecrets, hash_of
from shop_manager.settings import ShopManagerSettings

METHOD, PATH = "POST", "/shop/session"
COUNT_EVERY = 1.0
GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer of the 201, `client_secret` included; `replayed`: it was given before."""

    session: dict[str, Any]
    replayed: bool = False


class Backlog:
    """How many deliveries wait for the broker, counted at most once a second: opening goes on without a broker, but
    not without bound.
    """

    def __init__(self, outbox: Outbox, bound: int) -> None:
        self._outbox = outbox
        self._bound = bound
        self._unsent = 0
        self._counted_at = float("-inf")
        self._counting = Lock()

    def check(self) -> None:
        """Problem 503 `broker_unavailable` or `overloaded` when too many wait."""
        if monotonic() - self._counted_at >= COUNT_EVERY and self._counting.acquire(blocking=False):
            try:
                self._unsent = self._outbox.unsent()
                self._counted_at = monotonic()
            finally:
                self._counting.release()
        if self._unsent > self._bound:
            code = "overloaded" if self._outbox.link.connected else "broker_unavailable"
            raise Problem(code, "Too many messages wait for the broker to take new sessions.", retry_after=5)


class Opening:
    """`POST /shop/session`, behind its door."""

    def __init__(self, manager: Manager, secrets: ClientSecrets, settings: ShopManagerSettings) -> None:
        self.manager = manager
        self.secrets = secrets
        self.settings = settings
        self.backlog = Backlog(manager.outbox, settings.outbox_bound)
        self.in_hand = InHand()

    def open(self, wanted: OpenSession, who: Caller, key: str | None, traceparent: str | None) -> Opened:
        """Open a session, or tell again how it was opened under the same Idempotency-Key."""
        _check_caller(wanted, who)
        self.backlog.check()
        if key is None:
            return self._open(wanted, traceparent, None)
        request = request_of(who, METHOD, PATH, key, wanted.model_dump(exclude_unset=True))
        with self.in_hand.alone(request):
            try:
                return self._open(wanted, traceparent, request)
            except TakenMeanwhile:
                return self._open(wanted, traceparent, request)  # the winner has committed: this finds his answer

    def _open(self, wanted: OpenSession, traceparent: str | None, request: Request | None) -> Opened:
        with self.manager.database.begin() as tx:
            now = tx.now()
            known = find(tx, request, now) if request else None
            if known is not None:
                return Opened(with_secret(known.body, self.secrets.of(known.clerk)), replayed=True)
            clerk = clerk_id(now, os.urandom(RANDOMNESS))
            session, parcels = self._create(tx, clerk, wanted, traceparent, now)
            if request is not None:
                keep(tx, request, Answer(clerk, session), now)
        self.manager.outbox.post(parcels)
        return Opened(with_secret(session, self.secrets.of(clerk)))

    def _create(
        self, tx: Tx, clerk: str, wanted: OpenSession, traceparent: str | None, now: int
    ) -> tuple[dict[str, Any], Sequence[Parcel]]:
        shop, customer = self._parties(tx, wanted)
        customer_type = customer.type if customer else GUEST
        choice = self.manager.catalogue.choose(customer_type, shop.type, shop.allows_invoice)
        expires_at = now + seconds(wanted.expires_in or self.settings.session_seconds)
        document = {
            "clerk": {
                "id": clerk,
                "version": 1,
                **_chosen(shop, choice),
                "created_at": to_wire(now),
                "expires_at": to_wire(expires_at),
                "secret_sha256": hash_of(self.secrets.of(clerk)),
                "client_reference": wanted.client_reference,
                **_brought(wanted),
            },
            "customer": _customer_section(customer, wanted),
            "metadata": wanted.metadata or {},
        }
        reference = choice.process.reference
        chosen = {"process": reference, "rule": choice.rule, "inputs": dict(choice.inputs)}
        started = Started(document, expires_at, chosen, traceparent)
        saga, parcels = self.manager.open(tx, clerk, started, reference, now)
        return public_session(saga, steps_of(self.manager.catalogue, saga)), parcels

    def _parties(self, tx: Tx, wanted: OpenSession) -> tuple[Shop, Customer | None]:
        shop, customer = look_up(tx, wanted.shop or self.settings.default_shop, wanted.customer)
        if shop is None:
            raise Problem("shop_unknown", param="$.shop")
        if wanted.customer is not None and customer is None:
            raise Problem("customer_unknown", param="$.customer")
        if wanted.currency not in (None, shop.currency):
            raise invalid("$.currency", f"the shop sells in {shop.currency} only")
        return shop, customer


def _check_caller(wanted: OpenSession, who: Caller) -> None:
    """A named customer is only for the shop's backend to name; guests may come with anybody."""
    if wanted.customer is not None and who.kind != "server":
        detail = "Only the shop's backend may open a session for a named customer."
        raise Problem("unauthorized" if who.kind == "nobody" else "forbidden", detail, param="$.customer")


def _chosen(shop: Shop, choice: Choice) -> Document:
    return {
        "process": choice.process.reference,
        "digest": choice.process.digest,
        "shop": shop.id,
        "shop_type": shop.type,
        "currency": shop.currency,
    }


def _brought(wanted: OpenSession) -> Document:
    """What answers for the customer's turns; what was not brought is not named."""
    brought = wanted.brought()
    return {"brought": brought} if brought else {}


def _customer_section(customer: Customer | None, wanted: OpenSession) -> Document:
    return {
        "id": customer.id if customer else None,
        "type": customer.type if customer else GUEST,
        "name": customer.name if customer else None,
        "email": customer.email if customer else None,
        "shipping_address": wanted.shipping_address or {},
    }
