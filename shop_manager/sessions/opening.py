"""Opens sessions: checks who may, chooses shop and process, and creates the Clerk, all in one transaction.

What is opened in the same moment shares that transaction (http_api/together.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from domain.document import Document, part
from domain.ids import RANDOMNESS, clerk_id
from domain.times import seconds, to_wire
from http_api.principals import SHOWN_AS, Principal
from http_api.problems import Problem, invalid
from http_api.request import UNKNOWN, Origin
from http_api.together import Together
from messaging.database import Tx
from messaging.database_errors import is_away
from messaging.outbox import Outbox
from shop_manager.engine import store
from shop_manager.engine.manager import Manager, ToOpen
from shop_manager.processes import Choice
from shop_manager.saga.happenings import Started
from shop_manager.saga.state import Saga
from shop_manager.sessions.client_secrets import ClientSecrets, hash_of
from shop_manager.sessions.guests import GuestSession, GuestSessions
from shop_manager.sessions.idempotency import (
    InFlight,
    KeyedRequest,
    KeyTaken,
    SavedResponse,
    find,
    keep,
    request_of,
)
from shop_manager.sessions.opening_options import OpeningOptions
from shop_manager.sessions.opening_request import OpenSession
from shop_manager.sessions.repository import Customer, Shop, look_up
from shop_manager.sessions.view import public_session, steps_of, with_secret

METHOD, PATH = "POST", "/shop/session"
COUNT_EVERY = 1.0
"""Seconds."""
GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Opened:
    """The public session with its `client_secret`; `replayed`: it is the saved response of an earlier request."""

    session: dict[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who opens a session, and from where."""

    who: Principal
    origin: Origin = UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request to open a session. `request`: under which Idempotency-Key."""

    wanted: OpenSession
    caller: Caller
    traceparent: str | None
    request: KeyedRequest | None


class Backlog:
    """How many deliveries wait for the broker, counted at most once in COUNT_EVERY seconds.

    Sessions are opened without a broker too, but only until `bound` deliveries wait for it.
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
            code = "overloaded" if self._outbox.transport.connected else "broker_unavailable"
            raise Problem(code, "Too many messages wait for the broker to take new sessions.", retry_after=5)


class Opening:
    """The use case of `POST /shop/session`. `clock` gives seconds."""

    def __init__(
        self,
        manager: Manager,
        secrets: ClientSecrets,
        options: OpeningOptions,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.manager = manager
        self.secrets = secrets
        self.options = options
        self.backlog = Backlog(manager.outbox, options.outbox_bound)
        self.in_flight = InFlight()
        self.guests = GuestSessions(manager.database, options.guests, self._hashed, clock)
        self._together = Together(self.open_all)

    def open(self, wanted: OpenSession, caller: Caller, key: str | None, traceparent: str | None) -> Opened:
        """Open a session, or give the saved response of the same Idempotency-Key again."""
        asked = _asked(wanted, caller, key, traceparent)
        with self.in_flight.alone(asked.request):
            [outcome] = self.open_all([asked])
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    async def opened(self, wanted: OpenSession, caller: Caller, key: str | None, traceparent: str | None) -> Opened:
        """The same for requests: those of the same moment share a transaction."""
        asked = _asked(wanted, caller, key, traceparent)
        with self.in_flight.alone(asked.request):
            return await self._together.ask(asked)

    def open_all(self, asked: Sequence[Asked]) -> Sequence[Opened | Exception]:
        """What came of each, in order, in one transaction; where one would spoil it, in one for each of them.

        Raises what holds for all of them: Problem 503 where too much waits for the broker, and SQLAlchemy's errors
        while the database is away.
        """
        self.backlog.check()
        if any(each.caller.who.is_unproven for each in asked):
            self.guests.count()
        if len(asked) > 1:
            try:
                return self._open(asked)
            except Exception as error:
                if is_away(error):
                    raise
        outcomes: list[Opened | Exception] = []
        for each in asked:
            before = outcomes[-1] if outcomes else None
            outcomes.append(before if isinstance(before, Exception) and is_away(before) else self._open_alone(each))
        return outcomes

    def _open_alone(self, asked: Asked) -> Opened | Exception:
        try:
            try:
                [outcome] = self._open([asked])
            except KeyTaken:
                [outcome] = self._open([asked])  # the other one has committed: this finds it
        except Exception as error:
            return error
        return outcome

    def _open(self, asked: Sequence[Asked]) -> list[Opened | Exception]:
        """All in one transaction, with a constant number of statements. What is refused leaves nothing in it."""
        with self.manager.database.begin() as tx:
            now = tx.now()
            outcomes = self._replayed(tx, asked, now)
            to_open, refused = self._to_open(tx, [each for each in asked if each not in outcomes], now)
            sagas, outbound = self.manager.open(tx, list(to_open.values()), now) if to_open else ([], [])
            sessions = [public_session(saga, steps_of(self.manager.processes, saga)) for saga in sagas]
            opened = dict(zip(to_open, sessions, strict=True))
            keep(
                tx,
                {each.request: SavedResponse(told["id"], told) for each, told in opened.items() if each.request},
                now,
            )
        self.manager.outbox.post(outbound)
        shown = {each: Opened(with_secret(told, self.secrets.of(told["id"]))) for each, told in opened.items()}
        outcomes = {**outcomes, **refused, **shown}
        return [outcomes[each] for each in asked]

    def _replayed(self, tx: Tx, asked: Sequence[Asked], now: int) -> dict[Asked, Opened | Exception]:
        """What those are told whose Idempotency-Key was used before."""
        known = find(tx, [each.request for each in asked if each.request], now)
        again = {each: known[each.request] for each in asked if each.request in known}
        if not again:
            return {}
        clerks = store.read(tx, [saved.clerk for saved in again.values() if isinstance(saved, SavedResponse)])
        return {
            each: saved if isinstance(saved, Problem) else self._shown_again(saved, clerks[saved.clerk].saga)
            for each, saved in again.items()
        }

    def _shown_again(self, saved: SavedResponse, saga: Saga) -> Opened | Problem:
        """Problem 409 `client_secret_gone` when the secret was made from another master secret."""
        secret = self.secrets.of(saved.clerk)
        if part(saga.document, "clerk")["secret_sha256"] != hash_of(secret):
            return Problem("client_secret_gone")
        return Opened(with_secret(saved.body, secret), replayed=True)

    def _to_open(self, tx: Tx, asked: Sequence[Asked], now: int) -> tuple[dict[Asked, ToOpen], dict[Asked, Problem]]:
        """What is to be opened, and what is refused."""
        to_open: dict[Asked, ToOpen] = {}
        refused: dict[Asked, Problem] = {}
        shops = {each.wanted.shop or self.options.default_shop for each in asked}
        parties = look_up(tx, shops, {each.wanted.customer for each in asked if each.wanted.customer})
        for each in asked:
            try:
                to_open[each] = self._started(each, *self._parties(each.wanted, *parties), now)
            except Problem as problem:
                refused[each] = problem
        guests = [each for each in to_open if each.caller.who.is_unproven]
        lines = [self._guest_session(each.caller.origin, to_open[each]) for each in guests]
        for each, too_many in zip(guests, self.guests.take(tx, lines), strict=True):
            if too_many is not None:
                del to_open[each]
                refused[each] = too_many
        return to_open, refused

    def _guest_session(self, origin: Origin, opening: ToOpen) -> GuestSession:
        started = opening.started
        return self.guests.session(opening.clerk, origin, started.document, started.expires_at)

    def _hashed(self, address: str) -> str:
        """What is kept of an address: without the shop's secret nobody can find out which one it was."""
        return self.secrets.hashed(f"at {address}")

    def _started(self, asked: Asked, shop: Shop, customer: Customer | None, now: int) -> ToOpen:
        """What happens to the new Clerk first, and on which process."""
        wanted, clerk = asked.wanted, clerk_id(now, os.urandom(RANDOMNESS))
        customer_type = customer.type if customer else GUEST
        choice = self.manager.processes.choose(customer_type, shop.type, shop.allows_invoice)
        expires_at = now + seconds(wanted.expires_in or self.options.session_seconds)
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
        return ToOpen(clerk, Started(document, expires_at, chosen, asked.traceparent), reference)

    def _parties(
        self, wanted: OpenSession, shops: Mapping[str, Shop], customers: Mapping[str, Customer]
    ) -> tuple[Shop, Customer | None]:
        shop = shops.get(wanted.shop or self.options.default_shop)
        customer = customers.get(wanted.customer or "")
        if shop is None:
            named = wanted.shop or self.options.default_shop
            detail = f"There is no shop {named}: name another, or make it first with `PUT /shop/shops/{{id}}`."
            raise Problem("shop_unknown", detail, param="$.shop")
        if wanted.customer is not None and customer is None:
            detail = f"There is no customer {wanted.customer}: make it first with `PUT /shop/customers/{{id}}`."
            raise Problem("customer_unknown", detail, param="$.customer")
        if wanted.currency not in (None, shop.currency):
            detail = f"this shop sells in {shop.currency} only (is {wanted.currency!r}): leave it out, or send that"
            raise invalid("$.currency", detail)
        return shop, customer


def _asked(wanted: OpenSession, caller: Caller, key: str | None, traceparent: str | None) -> Asked:
    """Problem 401 or 403 when the caller may not open such a session."""
    _check_principal(wanted, caller.who)
    if key is None:
        return Asked(wanted, caller, traceparent, None)
    request = request_of(caller.who, METHOD, PATH, key, wanted.model_dump(exclude_unset=True))
    return Asked(wanted, caller, traceparent, request)


def _check_principal(wanted: OpenSession, who: Principal) -> None:
    """Only the shop's backend may name a customer; anybody may open a session for a guest."""
    if wanted.customer is not None and who.kind != "server":
        detail = (
            f"Only the shop's backend may open a session for a named customer: send {SHOWN_AS['server']} as "
            f"`Authorization: Bearer …`, or leave `customer` out; {SHOWN_AS[who.kind]} came."
        )
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
    """What the session brings along for the steps at which the customer has the turn (docs/decisions/004)."""
    brought = wanted.brought()
    return {"brought": brought} if brought else {}


def _customer_section(customer: Customer | None, wanted: OpenSession) -> Document:
    return {
        "id": customer.id if customer else None,
        "type": customer.type if customer else GUEST,
        "name": wanted.name or (customer.name if customer else None),
        "email": wanted.email or (customer.email if customer else None),
        "shipping_address": wanted.shipping_address or {},
    }
