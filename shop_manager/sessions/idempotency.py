"""Idempotency-Key: the first response to a request is kept with what it made, and given again to the same request.

Scope: the access key by its id, method and path. Kept for 24 h, in the same transaction as the Clerk; the client secret
is not in it. All callers without an access key have one scope: `http_api/conventions.py` lets only such keys of theirs
through as nobody can guess (docs/decisions/056). These are kept as hashes: with such a key alone one gets the client
secret again, and a dump of the database must not open sessions (docs/decisions/057).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import orjson
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.exc import OperationalError

from domain.times import hours
from http_api.principals import Principal
from http_api.problems import Problem
from messaging.database import Database, Tx
from messaging.statements import KEYS
from shop_manager.engine.tables import idempotency

KEPT = hours(24)
FORGET_AT_ONCE = 1000
HASHED = "sha256:"
"""How a kept key begins that is a hash."""
_FIND = select(idempotency).where(
    idempotency.c.scope.in_(KEYS),
    idempotency.c.key.in_(bindparam("kept_as", expanding=True)),
    idempotency.c.at > bindparam("since"),
)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """One request under a key. `scope` and `body` are SHA-256 in hex; `key` as it is kept, `keys` as it may be.

    `former_scope` is that of processes which knew access keys by their names: what these have answered within the last
    24 h, also beside us while they are replaced, is not done twice.
    """

    scope: str
    key: str
    body: str
    keys: tuple[str, ...]
    former_scope: str


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """The response: the Clerk that the request made, and the body without the client secret."""

    clerk: str
    body: dict[str, Any]


class KeyTaken(Exception):
    """Another transaction has kept a response under the same key first: this one must be rolled back."""


def request_of(who: Principal, method: str, path: str, key: str, body: object) -> KeyedRequest:
    """`body` is the JSON value as it was validated: other spaces or another order of keys are the same request."""
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    by_id, by_name = (who.secret_sha256,) * 2 if who.is_unproven else (who.key_id, who.name)
    keys = _kept_as(key) if who.is_unproven else (key,)
    return KeyedRequest(
        _sha256(orjson.dumps([who.kind, by_id, method, path])),
        keys[0],
        _sha256(content),
        keys,
        _sha256(orjson.dumps([who.kind, by_name, method, path])),
    )


def _kept_as(key: str) -> tuple[str, ...]:
    """How the key is kept; and as it is, for what an older process has kept, unless it is itself such a hash."""
    hashed = HASHED + _sha256(key.encode())
    return (hashed,) if key.startswith(HASHED) else (hashed, key)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def find(tx: Tx, requests: Sequence[KeyedRequest], now: int) -> dict[KeyedRequest, SavedResponse | Problem]:
    """The responses that were given to these requests, with one statement; none to one that is the first, or whose
    first is longer ago than 24 h.

    The Problem 422 `idempotency_conflict` when the key was used for another body. Not for one in the former scope:
    another access key of the same name may have used it, and that is nobody else's business.
    """
    if not requests:
        return {}
    asked = {
        "keys": sorted({scope for request in requests for scope in (request.scope, request.former_scope)}),
        "kept_as": sorted({key for request in requests for key in request.keys}),
        "since": now - KEPT,
    }
    found = {(row.scope, row.key): row for row in tx.execute(_FIND, asked)}
    answers = {request: _answer_in(found, request) for request in requests}
    return {request: answer for request, answer in answers.items() if answer is not None}


def _answer_in(found: Mapping[tuple[str, str], Row[Any]], request: KeyedRequest) -> SavedResponse | Problem | None:
    own, former = (
        next((found[scope, key] for key in request.keys if (scope, key) in found), None)
        for scope in (request.scope, request.former_scope)
    )
    if own is not None and own.body != request.body:
        return Problem("idempotency_conflict", param="Idempotency-Key")
    row = own or former
    if row is None or row.body != request.body:
        return None
    return SavedResponse(row.clerk, orjson.loads(row.answer))


def keep(tx: Tx, responses: Mapping[KeyedRequest, SavedResponse], now: int) -> None:
    """Keep the responses with what the requests made. KeyTaken when another transaction has kept one first.

    On PostgreSQL that one may be under way still: then this waits for its end. The rows are written in one order
    everywhere, so that no two wait for each other.
    """
    rows = [
        {
            "scope": request.scope,
            "key": request.key,
            "body": request.body,
            "clerk": response.clerk,
            "answer": orjson.dumps(response.body).decode(),
            "at": now,
        }
        for request, response in sorted(responses.items(), key=lambda kept: (kept[0].scope, kept[0].key))
    ]
    outdated = f"idempotency.at <= {now - KEPT}"
    if tx.upsert(idempotency, rows, ["scope", "key"], only_if=outdated) < len(rows):
        raise KeyTaken


def forget_old(database: Database) -> None:
    """Delete responses older than 24 h, a thousand at a time."""
    columns = idempotency.c
    with database.begin() as tx:
        old = tx.execute(
            select(columns.at).where(columns.at <= tx.now() - KEPT).order_by(columns.at).limit(FORGET_AT_ONCE)
        )
        moments = [row.at for row in old]
        if moments:
            tx.execute(delete(idempotency).where(columns.at <= moments[-1]))


class InFlight:
    """The requests that this process is working on: for the same one again there is a Problem 409."""

    def __init__(self) -> None:
        self._requests: set[tuple[str, str]] = set()
        self._lock = Lock()

    @contextmanager
    def alone(self, request: KeyedRequest | None) -> Iterator[None]:
        """Problem 409 `idempotency_in_flight` while the key is in use here, or for too long in another process."""
        if request is None:
            yield
            return
        name = (request.scope, request.key)
        with self._lock:
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
            with self._lock:
                self._requests.discard(name)
