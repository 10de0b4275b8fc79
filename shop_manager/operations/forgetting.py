"""Forgets a person: their name, e-mail and address are taken out of all orders that have ended (docs/decisions/145).

The books stay: what was ordered, paid, shipped and returned, when, and under which customer's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Protocol

import orjson
from pydantic import Field, model_validator
from sqlalchemy import bindparam, delete, func, select, update

from domain.refusals import Refused
from http_api.conventions import Body, Id, example
from http_api.principals import Principal
from messaging.database import Database, Tx
from messaging.parked import erase_bodies
from messaging.statements import KEYS
from shop_manager.engine import store
from shop_manager.engine.manager import Changed
from shop_manager.engine.rows import history_row
from shop_manager.engine.search_index import SearchIndex, rows_of
from shop_manager.engine.search_index import table as terms
from shop_manager.engine.search_terms import TermKind, customer_terms, email_hash
from shop_manager.engine.tables import (
    activity_schema,
    clerks,
    customers,
    history,
    idempotency,
    operations_schema,
    technical,
)
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.requests import Said
from shop_manager.operations.roles import require
from shop_manager.saga.forgetting import Forgotten, Numbered, forget, is_words, public_without_person
from shop_manager.saga.state import BY_OPERATOR, Saga
from shop_manager.sessions.opening_request import Email
from shop_manager.sessions.repository import customer_of_row
from shop_manager.sessions.search_fill import FillState, fill_state

ACTION = "forget"
PORTION = 100
"""Orders in one transaction."""
NAMED = 5
"""Orders under way that a refusal names."""
FEED_LAG = 60_000
"""ms within which what is told of a note stands in the activity feed."""
KEPT = {
    "shop_manager": "orders with articles, amounts, times, the shop's reference and the customer's id, as the books; "
    "and the audit with what operators have written as reasons, which nobody can change",
    "shop": "articles and prices, by the order's id",
    "risk": "credit, score and reservations, by the customer's id",
    "payment": "amounts, and of cards the brand and four digits, by the order's id",
    "fulfillment": "name and address of each parcel, until `clerk forget-customer` erases them there",
}
"""What is still known afterwards, by service."""
NOT_FOUND: Mapping[FillState, str] = {
    "unknown": "ShopManager has not noted yet with which secret its search is made: it does so when it has run for a "
    "second; try again then",
    "other": "the search is made with another secret than CLERK_SECRET here, so that names and addresses cannot be "
    "found in it: ShopManager makes it anew, or another ShopManager has another secret; try again in a minute",
    "under_way": "ShopManager is still entering orders into its search, so that not all of an address may be found: "
    "try again in a minute, or forget by the customer's id",
}
"""Why nobody can be forgotten just now, by what the search is."""
_UNDER_WAY = clerks.c.wake_at.isnot(None)
_ENTRY = (history.c.clerk == bindparam("of_clerk")) & (history.c.number == bindparam("numbered"))
_REWRITE = update(history).where(_ENTRY).values(data=bindparam("new_data"))


class ForgetAsk(Body):
    """One of the three says who: a customer's id, an e-mail address, or a guest's order."""

    model_config = example({"customer": "ada", "reason": "request 17 of 30 November"})

    customer: Annotated[Id | None, Field(description="all orders of this customer")] = None
    email: Annotated[Email | None, Field(description="the customers and the guests' orders with this address")] = None
    clerk: Annotated[Id | None, Field(description="this order alone, as of a guest without an address")] = None
    reason: Said

    @model_validator(mode="after")
    def _says_who(self) -> ForgetAsk:
        if [self.customer, self.email, self.clerk].count(None) != 2:
            raise ValueError("exactly one of `customer`, `email` and `clerk` is needed")
        return self


class Keeper(Protocol):
    """What keeps the orders, as Manager is one."""

    @property
    def database(self) -> Database: ...
    @property
    def search(self) -> SearchIndex: ...
    @property
    def on_change(self) -> Callable[[Changed], None]: ...


class Person(NamedTuple):
    """Customers whom the shop knows, and orders: those of these customers, and of guests."""

    customers: Sequence[str]
    orders: Sequence[str]


class Preview(NamedTuple):
    """Before a customer is forgotten. `known`: the shop has a name of theirs; `why_not`: "" when it may be done."""

    known: bool
    orders: int
    audit_lines: int
    why_not: str


class Forgetting:
    """Only an admin forgets; every attempt is in the audit, by the id that was asked for, and never by an address.

    The search has a keyed hash; `on_change` is called with the Clerks that have changed, by id.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._database = keeper.database

    def require(self, who: Principal) -> None:
        """Problem `forbidden` for who is no admin; the attempt is written down."""
        require(self._database, who, "admin", ACTION, "customer")

    def forget(self, who: Principal, asked: ForgetAsk) -> dict[str, Any] | Refused:
        """`{customers, orders, erased, audit_lines, kept}`; Refused `not_allowed_now` while an order is under way.

        `orders`: ids of all that are theirs; `erased`: in how many something was erased now, none when all was
        before; `audit_lines`: lines of the audit about them; `kept`: what is still known, by service.
        """
        with self._database.begin() as tx:
            person = self._find(tx, asked)
            tx.lock([f"customer:{each}" for each in person.customers])
            refused = self._why_not_found(tx, by_address=asked.email is not None) or _why_not(tx, person)
            record(tx, who, _line(asked, person, refused), tx.now(), None if refused else {})
            if refused:
                return refused
            for customer in person.customers:
                self._forget_customer(tx, customer)
        erased = 0
        for start in range(0, len(person.orders), PORTION):
            erased += self._erase(who, person.orders[start : start + PORTION])
        return {
            "customers": list(person.customers),
            "orders": list(person.orders),
            "erased": erased,
            "audit_lines": self._audit_lines(person),
            "kept": KEPT,
        }

    def preview(self, customer: str) -> Preview:
        """What would become of this customer; nothing is done and nothing written down."""
        with self._database.read() as tx:
            person = Person([customer], _orders_of(tx, [customer]))
            known = tx.execute(select(customers.c.id).where(customers.c.id == customer)).first() is not None
            refused = self._why_not_found(tx, by_address=False) or _why_not(tx, person)
        return Preview(known, len(person.orders), self._audit_lines(person), refused.detail if refused else "")

    def _why_not_found(self, tx: Tx, *, by_address: bool) -> Refused | None:
        """The search is asked who has an address, and what it knows of them is to go: it has to be of our secret."""
        state = fill_state(tx, self._keeper.search)
        if state == "done" or (state == "under_way" and not by_address):
            return None
        return Refused("not_allowed_now", NOT_FOUND[state])

    def _find(self, tx: Tx, asked: ForgetAsk) -> Person:
        if asked.clerk:
            known = tx.execute(select(clerks.c.id).where(clerks.c.id == asked.clerk)).scalars()
            return Person([], list(known))
        if asked.customer:
            return Person([asked.customer], _orders_of(tx, [asked.customer]))
        found = self._by_email(tx, "customer_email", asked.email or "")
        orders = [*_orders_of(tx, found), *self._by_email(tx, "email", asked.email or "")]
        return Person(found, list(dict.fromkeys(orders)))

    def _by_email(self, tx: Tx, kind: TermKind, email: str) -> list[str]:
        hashed = self._keeper.search.hashed
        if hashed is None:
            return []
        wanted = (terms.c.kind == kind) & (terms.c.term == email_hash(email, hashed))
        return list(tx.execute(select(terms.c.target).where(wanted).order_by(terms.c.rank, terms.c.target)).scalars())

    def _forget_customer(self, tx: Tx, customer: str) -> None:
        row = tx.execute(select(customers).where(customers.c.id == customer)).first()
        if row is None:
            return
        known = customer_of_row(row._asdict())
        found = customer_terms(known.id, known.name, known.email, self._keeper.search.hashed)
        self._keeper.search.change(tx, [], rows_of(found, known.id, 0))
        tx.execute(delete(customers).where(customers.c.id == customer))

    def _erase(self, who: Principal, orders: Sequence[str]) -> int:
        """In how many of these orders there was something to erase. One that is opened meanwhile is left alone."""
        with self._database.begin() as tx:
            now = tx.lock(orders)
            read, entries = store.read(tx, orders), _histories(tx, orders)
            by = f"{BY_OPERATOR}{who.name or who.kind}"
            found = {clerk: forget(each.saga, entries[clerk], by, now) for clerk, each in read.items()}
            gone = {clerk: each for clerk, each in found.items() if each}
            store.write(
                tx,
                [(each.saga, read[clerk].revision, read[clerk].digest) for clerk, each in gone.items()],
                [(clerk, each.saga.version, each.entry) for clerk, each in gone.items()],
            )
            _rewrite(tx, gone)
            self._keeper.search.follow(tx, [(read[clerk].saga.document, each.saga) for clerk, each in gone.items()])
            _erase_copies(tx, [read[clerk].saga for clerk in gone], entries)
        self._keeper.on_change({clerk: each.saga for clerk, each in gone.items()})
        return len(gone)

    def _audit_lines(self, person: Person) -> int:
        """About their orders: what operators have written as reasons stands there for good (S9)."""
        audit, count = operations_schema.audit, 0
        with self._database.read() as tx:
            for start in range(0, len(person.orders), PORTION):
                targets = [f"clerk:{each}" for each in person.orders[start : start + PORTION]]
                wanted = audit.c.target.in_(targets) & (audit.c.reason != "")
                count += tx.execute(select(func.count()).where(wanted)).scalar_one()
        return count


def _orders_of(tx: Tx, of: Sequence[str]) -> list[str]:
    return list(
        tx.execute(
            select(clerks.c.id).where(clerks.c.customer.in_(KEYS)).order_by(clerks.c.opened_at, clerks.c.id),
            {"keys": list(of)},
        ).scalars()
    )


def _why_not(tx: Tx, person: Person) -> Refused | None:
    under_way: list[str] = []
    for start in range(0, len(person.orders), PORTION):
        some = clerks.c.id.in_(person.orders[start : start + PORTION])
        under_way += tx.execute(select(clerks.c.id).where(some, _UNDER_WAY).order_by(clerks.c.id)).scalars()
    if not under_way:
        return None
    more = f" and {len(under_way) - NAMED} more" if len(under_way) > NAMED else ""
    named = ", ".join(under_way[:NAMED]) + more
    return Refused("not_allowed_now", f"still under way: {named}; let them end, or stop and undo them, and forget then")


def _line(asked: ForgetAsk, person: Person, refused: Refused | None) -> AuditLine:
    target = f"clerk:{asked.clerk}" if asked.clerk else f"customer:{asked.customer}" if asked.customer else "customer"
    return AuditLine(
        ACTION,
        target,
        refused.code if refused else "done",
        asked.reason,
        detail=refused.detail if refused else "",
        after=None if refused else {"customers": len(person.customers), "orders": len(person.orders)},
    )


def _histories(tx: Tx, orders: Sequence[str]) -> dict[str, list[Numbered]]:
    """An order's entries are numbered without gaps."""
    return {clerk: list(enumerate(entries, start=1)) for clerk, entries in store.read_histories(tx, orders).items()}


def _rewrite(tx: Tx, gone: dict[str, Forgotten]) -> None:
    rows = [history_row(clerk, number, entry) for clerk, each in gone.items() for number, entry in each.rewritten]
    values = [{"of_clerk": row["clerk"], "numbered": row["number"], "new_data": row["data"]} for row in rows]
    if values:
        tx.execute(_REWRITE, values)


def _erase_copies(tx: Tx, sagas: Sequence[Saga], entries: dict[str, list[Numbered]]) -> None:
    """In parked messages, in answers that are kept to be given again, and in what the feed tells of notes."""
    if not sagas:
        return
    ids = [saga.id for saga in sagas]
    erase_bodies(tx, technical.parked, ids)
    kept = idempotency.c
    # An answer is kept in the transaction that opens its order.
    rows = tx.execute(select(idempotency).where(kept.at.in_([saga.opened_at for saga in sagas]), kept.clerk.in_(ids)))
    for row in rows.all():
        answer = orjson.dumps(public_without_person(orjson.loads(row.answer))).decode()
        tx.execute(update(idempotency).where(kept.scope == row.scope, kept.key == row.key).values(answer=answer))
    noted = [entry.at for clerk in ids for _, entry in entries[clerk] if is_words(entry)]
    if noted:
        feed = activity_schema.lines
        told = (feed.c.kind == "act") & feed.c.at.between(min(noted), max(noted) + FEED_LAG) & (feed.c.what == "note")
        tx.execute(update(feed).where(told, feed.c.clerk.in_(ids)).values(detail=""))
