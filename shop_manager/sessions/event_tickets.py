"""Tickets for event streams: a browser's EventSource can send no `Authorization`, so it shows a ticket in its address.

A ticket opens one stream once, soon after it was made (docs/decisions/075). It is kept as its hash, with whom it was
made for, in ShopManager's database: any of its processes may be the one that is asked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, select

from domain.times import seconds
from http_api.held_calls import GoOnCheck
from http_api.keys import KeyRing
from http_api.principals import Principal
from http_api.problems import Problem
from messaging.database import Database, Tx
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.engine.tables import event_tickets

LIVES = seconds(60)
MOST = 20
"""Of one session that are not used yet."""
FORGET_AT_ONCE = 1000
_MOST_PROBLEM = f"This session has {MOST} tickets that are not used yet: each opens a stream, or ends after a minute."


@dataclass(frozen=True, slots=True)
class Ticket:
    """`expires_at` in ms."""

    text: str = field(repr=False)
    expires_at: int


class EventTickets:
    """`draw` makes a text that nobody can guess."""

    def __init__(self, database: Database, draw: Callable[[], str] = secrets.token_urlsafe) -> None:
        self._database = database
        self._draw = draw
        self._keys = KeyRing(database)

    def make(self, clerk: str, who: Principal) -> Ticket:
        """A ticket for somebody who may see this Clerk. Problem 429 when too many are waiting to be used."""
        text = f"et_{self._draw()}"
        with self._database.begin() as tx:
            now = tx.lock([f"{clerk} tickets"])
            if _unused(tx, clerk, now) >= MOST:
                raise Problem("too_many_requests", _MOST_PROBLEM, retry_after=LIVES // 1000, session_id=clerk)
            ticket = Ticket(text, now + LIVES)
            tx.insert(event_tickets, [_row(clerk, who, ticket)])
        return ticket

    def use(self, clerk: str, text: str) -> Principal:
        """For whom the ticket was made. It is used up: of two who show it at once one gets in.

        Problem 401 when it opens nothing here, the same whatever the reason.
        """
        this_one = event_tickets.c.hash == _hash(text)
        with self._database.begin() as tx:
            row = self._find(tx, clerk, text)
            if row is None or tx.execute(delete(event_tickets).where(this_one)).rowcount != 1:
                raise _refused()
        return _principal(row)

    def look(self, clerk: str, text: str) -> Principal:
        """The same, and the ticket stays as it is: for HEAD, which changes nothing."""
        with self._database.read() as tx:
            row = self._find(tx, clerk, text)
        if row is None:
            raise _refused()
        return _principal(row)

    def go_on_check(self, who: Principal) -> GoOnCheck | None:
        """Is the access key that a ticket was made with still good? None for a customer's, as in `principals`."""
        key_id = who.key_id
        if key_id is None:
            return None

        def may_go_on() -> bool:
            try:
                with self._database.read() as tx:
                    return self._keys.is_live_within(tx, key_id)
            except DATABASE_ERRORS:
                return False

        return may_go_on

    def _find(self, tx: Tx, clerk: str, text: str) -> Row[Any] | None:
        """None also when the key has ended that the ticket was made with."""
        columns = event_tickets.c
        this_one = columns.hash == _hash(text), columns.clerk == clerk, columns.expires_at > tx.now()
        row = tx.execute(select(event_tickets).where(*this_one)).first()
        ended = row is not None and row.kind != "customer" and not self._keys.is_live_within(tx, row.credential)
        return None if ended else row


def forget_old(database: Database) -> None:
    """Delete tickets that were not used in time, a thousand at a time."""
    columns = event_tickets.c
    with database.begin() as tx:
        old = select(columns.hash).where(columns.expires_at <= tx.now()).limit(FORGET_AT_ONCE)
        hashes = [row.hash for row in tx.execute(old)]
        if hashes:
            tx.execute(delete(event_tickets).where(columns.hash.in_(hashes)))


def _unused(tx: Tx, clerk: str, now: int) -> int:
    columns = event_tickets.c
    count = select(func.count()).where(columns.clerk == clerk, columns.expires_at > now)
    return int(tx.execute(count).scalar_one())


def _row(clerk: str, who: Principal, ticket: Ticket) -> dict[str, Any]:
    return {
        "hash": _hash(ticket.text),
        "clerk": clerk,
        "kind": who.kind,
        "credential": who.key_id or who.secret_sha256,
        "expires_at": ticket.expires_at,
    }


def _principal(row: Row[Any]) -> Principal:
    if row.kind == "customer":
        return Principal("customer", secret_sha256=row.credential)
    return Principal(row.kind, key_id=row.credential)


def _refused() -> Problem:
    detail = "The ticket is unknown, was used already, or is older than 60 s: ask for a new one."
    return Problem("unauthorized", detail, param="ticket")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
