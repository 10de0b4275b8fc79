"""Idempotency-Key: the first answer to a request is kept with what it made, and told again to the same request.

Scope: caller, method and path. Kept for 24 h, in the same transaction as the Clerk; the client secret is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import orjson
from psycopg2.errors import LockNotAvailable
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import OperationalError

from domain.times import hours
from doors.callers import Caller
from doors.problems import Problem
from messaging.database import Database, Tx
from shop_manager.store import idempotency

KEPT = hours(24)
FORGET_AT_ONCE = 1000
_FIND = select(idempotency).where(
    idempotency.c.scope == bindparam("scope"),
    idempotency.c.key == bindparam("key"),
    idempotency.c.at > bindparam("since"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request under a key. `scope` and `body` are SHA-256 in hex."""

    scope: str
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the Clerk it made, and the body without the secret."""

    clerk: str
    body: dict[str, Any]


class TakenMeanwhile(Exception):
    """Somebody with the same key was quicker: what this transaction has done must not stay."""


def request_of(who: Caller, method: str, path: str, key: str, body: object) -> Request:
    """`body` is the JSON value as it was validated: other spaces or another order of keys are the same request."""
    name = who.secret_sha256 if who.kind == "customer" else who.name
    scope = orjson.dumps([who.kind, name, method, path])
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return Request(hashlib.sha256(scope).hexdigest(), key, hashlib.sha256(content).hexdigest())


def find(tx: Tx, request: Request, now: int) -> Answer | None:
    """The answer that was given to this request; None when it is the first, or the first is longer ago than 24 h.

    Problem 422 `idempotency_conflict` when the key was used for another body.
    """
    row = tx.execute(_FIND, {"scope": request.scope, "key": request.key, "since": now - KEPT}).first()
    if row is None:
        return None
    if row.body != request.body:
        raise Problem("idempotency_conflict", param="Idempotency-Key")
    return Answer(row.clerk, orjson.loads(row.answer))


def keep(tx: Tx, request: Request, answer: Answer, now: int) -> None:
    """Keep the answer with what it made. TakenMeanwhile when another transaction has kept one first.

    On PostgreSQL that one may be under way still: then this waits for its end.
    """
    row = {
        "scope": request.scope,
        "key": request.key,
        "body": request.body,
        "clerk": answer.clerk,
        "answer": orjson.dumps(answer.body).decode(),
        "at": now,
    }
    outdated = f"idempotency.at <= {now - KEPT}"
    if not tx.upsert(idempotency, [row], ["scope", "key"], only_if=outdated):
        raise TakenMeanwhile


def forget_old(database: Database) -> None:
    """Delete answers older than 24 h, a thousand at a time."""
    columns = idempotency.c
    with database.begin() as tx:
        old = tx.execute(
            select(columns.at).where(columns.at <= tx.now() - KEPT).order_by(columns.at).limit(FORGET_AT_ONCE)
        )
        moments = [row.at for row in old]
        if moments:
            tx.execute(delete(idempotency).where(columns.at <= moments[-1]))


class InHand:
    """The requests that this process is working on: the same one again is told to wait (409)."""

    def __init__(self) -> None:
        self._requests: set[tuple[str, str]] = set()
        self._guard = Lock()

    @contextmanager
    def alone(self, request: Request) -> Iterator[None]:
        """Problem 409 `idempotency_in_flight` while the same key is in hand, here or (too long) in another process."""
        name = (request.scope, request.key)
        with self._guard:
            if name in self._requests:
                raise Problem("idempotency_in_flight")
            self._requests.add(name)
        try:
            yield
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise Problem("idempotency_in_flight") from None
            raise
        finally:
            with self._guard:
                self._requests.discard(name)
