"""Access keys: `sk_…` for the shop's backend, `wk_…` the warehouse, `op_…` operators' scripts, `mk_…` the monitoring.

A key is `PREFIX_ID_SECRET`: the row is found by the id, so that one argon2 check is enough; the secret is only hashed.
ShopManager's database says which keys are good; the other services ask it (docs/decisions/054, `confirmed_keys.py`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol, cast

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, or_, select, update

from domain.times import days, from_wire, to_wire
from http_api.operator_notes import first_passwords_table
from messaging.database import Database, Tx
from messaging.database_errors import DATABASE_ERRORS, said_by

Scope = Literal["server", "warehouse", "operator", "monitoring"]
Role = Literal["viewer", "support", "operator", "admin"]
KeyFault = Literal["malformed", "unknown", "revoked", "expired"]
"""Why a key opens nothing. A wrong secret makes it unknown, so that nobody learns which ids there are."""
PREFIXES: dict[Scope, str] = {"server": "sk", "warehouse": "wk", "operator": "op", "monitoring": "mk"}
ROLES: tuple[Role, ...] = ("viewer", "support", "operator", "admin")
"""Each may do all that those before it may."""
MOMENTS = ("created_at", "expires_at", "last_used_at", "revoked_at")
LISTED = ("id", "scope", "role", "name", *MOMENTS)
"""What is shown of a key."""

_KEY = re.compile(r"(sk|wk|op|mk)_([a-z]{12})_([A-Za-z0-9_-]{43})")
_REMEMBERED_FOR = 5.0
"""Seconds for which the row of a good key is not looked at again: so long its revocation elsewhere takes to be seen."""
_KNOWN_FOR = 60.0
"""Seconds after which a key that nobody uses counts as a stranger's again, for the rate limits."""
_REMEMBERED = 1000
"""Keys that fitted their hash: argon2 does not run again for them while the hash is the same."""
_USED_EVERY = 60.0
"""Seconds: `last_used_at` is written at most so often, by each process for each key."""
_MOST_DAYS = 3650
log = structlog.get_logger("http_api")

# The secret has 256 random bits: nobody guesses it, so the hash only has to be one-way, and may be quick.
_HASHER = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


class KeyTables(NamedTuple):
    """`keys` first: `operators` refers to it."""

    keys: Table
    operators: Table


def key_tables(metadata: MetaData) -> KeyTables:
    """Puts `access_keys` and `operators` into the metadata. Times are ms; the hashes argon2's own text form."""
    keys = Table(
        "access_keys",
        metadata,
        Column("id", String(12), primary_key=True),
        Column("scope", String(16), nullable=False),
        Column("role", String(16)),
        Column("name", String(128), nullable=False),
        Column("hash", String(255), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
        Column("expires_at", BigInteger),
        Column("last_used_at", BigInteger),
    )
    operators = Table(
        "operators",
        metadata,
        Column("name", String(128), primary_key=True),
        Column("role", String(16), nullable=False),
        Column("password_hash", String(255), nullable=False),
        Column("key_id", String(12), ForeignKey("access_keys.id"), nullable=False),
        Column("created_at", BigInteger, nullable=False),
    )
    return KeyTables(keys, operators)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is. `role` is set exactly for the scope `operator`; `expires_at` in ms, None for never.

    `must_change`: the person has not chosen a password of their own yet, and until then the key opens nothing.
    """

    key_id: str
    scope: Scope
    name: str
    role: Role | None = None
    expires_at: int | None = None
    must_change: bool = False


class KeyCheck(Protocol):
    """What tells whose key it is: a KeyRing, or ConfirmedKeys. All methods may be called from any thread."""

    def check(self, plain: str) -> Holder | None:
        """Whose key this is; None for one that opens nothing. Raises SQLAlchemy's errors, and KeysUnavailable."""
        ...

    def recall(self, plain: str) -> Holder | None:
        """What `check` would say, where it would look at nothing; else None. Never touches database or network."""
        ...

    def fault(self, plain: str) -> KeyFault:
        """Why `check` has just said None. Raises SQLAlchemy's errors."""
        ...

    def known(self, plain: str) -> bool:
        """Was this key good within the last minute? Never touches database or network."""
        ...


class KeysUnavailable(Exception):
    """Whether a key is good cannot be found out at the moment."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A key that fitted `hash`; times in seconds of the ring's clock."""

    holder: Holder
    hash: str
    looked_at: float
    good_until: float
    use_written_at: float


class KeyRing:
    """The keys in one database. Any number of live keys may have the same name: that is how keys are rotated.

    A good key is remembered for five seconds: so long a revocation by another process takes to be seen. `people`: the
    database says who still has a first password, as only ShopManager's does. `clock` gives seconds. All methods may be
    called from any thread; all but `known` raise SQLAlchemy's errors.
    """

    def __init__(
        self, database: Database, *, people: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.database = database
        self.tables = key_tables(MetaData())
        self._first = first_passwords_table(MetaData())
        self._people = people
        self._clock = clock
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._forgot = 0

    def put(self, plain: str, name: str, role: Role | None = None, *, expires_at: int | None = None) -> str:
        """Stores a key made elsewhere, so that several services know it; again changes nothing. Returns its id.

        `expires_at`: the moment from which it opens nothing. ValueError when it is no key, or the role does not go
        with its scope.
        """
        with self.database.begin() as tx:
            return self.put_within(tx, plain, name, role, expires_at=expires_at)

    def put_within(
        self, tx: Tx, plain: str, name: str, role: Role | None = None, *, expires_at: int | None = None
    ) -> str:
        """The same in a transaction that is open already."""
        scope, key_id, secret = _parts(plain)
        _check_role(scope, role)
        row = {
            "id": key_id,
            "scope": scope,
            "role": role,
            "name": name,
            "hash": _HASHER.hash(secret),
            "created_at": tx.now(),
            "expires_at": expires_at,
        }
        tx.upsert(self.tables.keys, [row], keys=["id"], keep=list(row))
        return key_id

    def check(self, plain: str) -> Holder | None:
        """Whose key this is; None for a malformed, unknown, wrong, revoked or expired one, without telling which."""
        return self.recall(plain) or self.check_now(plain)

    def recall(self, plain: str) -> Holder | None:
        """Whose key this is, if it was found good a moment ago. Never touches the database."""
        kept = self._recall(digest_of(plain))
        return kept.holder if kept is not None and self._clock() < kept.good_until else None

    def check_now(self, plain: str) -> Holder | None:
        """The same, looked up in the database whatever is remembered."""
        digest = digest_of(plain)
        with self._lock:
            kept, forgot = self._verified.get(digest), self._forgot
        verified = self._verify(plain, kept)
        if verified is not None and verified.looked_at - verified.use_written_at >= _USED_EVERY:
            self._write_use(verified.holder.key_id)
            verified = replace(verified, use_written_at=verified.looked_at)
        with self._lock:
            if verified is None:
                self._verified.pop(digest, None)
            elif self._forgot == forgot:  # else it may have been revoked while we looked
                self._verified[digest] = verified
                self._verified.move_to_end(digest)
                if len(self._verified) > _REMEMBERED:
                    self._verified.popitem(last=False)
        return verified.holder if verified else None

    def fault(self, plain: str) -> KeyFault:
        """Why the key opens nothing; `revoked` and `expired` are said of a key with its right secret only."""
        try:
            scope, key_id, secret = _parts(plain)
        except ValueError:
            return "malformed"
        with self.database.read() as tx:
            row, now = self.row_within(tx, key_id), tx.now()
        if row is None or row["scope"] != scope or not _matches(row["hash"], secret):
            return "unknown"
        if row["revoked_at"] is not None:
            return "revoked"
        return "expired" if row["expires_at"] is not None and row["expires_at"] <= now else "unknown"

    def has(self, plain: str) -> bool:
        """Is there a row for this key, be it live or not, be its secret right or wrong?"""
        try:
            _, key_id, _ = _parts(plain)
        except ValueError:
            return False
        with self.database.read() as tx:
            return self.row_within(tx, key_id) is not None

    def known(self, plain: str) -> bool:
        """Was this key good within the last minute? Never touches the database."""
        kept = self._recall(digest_of(plain))
        return kept is not None and self._clock() < kept.looked_at + _KNOWN_FOR

    def revoke_within(self, tx: Tx, key_id: str) -> bool:
        """The key opens nothing any more; False when there was no such live key. Call `forget` after the commit."""
        keys = self.tables.keys
        live = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        return bool(tx.execute(live.values(revoked_at=tx.now())).rowcount)

    def is_live_within(self, tx: Tx, key_id: str) -> bool:
        """Is there such a key, neither revoked nor expired?"""
        row = self.row_within(tx, key_id)
        if row is None or row["revoked_at"] is not None:
            return False
        return row["expires_at"] is None or tx.now() < row["expires_at"]

    def row_within(self, tx: Tx, key_id: str) -> dict[str, Any] | None:
        """What is stored of a key."""
        row = tx.execute(select(self.tables.keys).where(self.tables.keys.c.id == key_id)).one_or_none()
        return None if row is None else row._asdict()

    def bar_within(self, tx: Tx, row: Mapping[str, Any]) -> bool:
        """Revoke a key that another database knows with this row; it need not be known here. False when it was already
        revoked here.
        """
        barred = {**row, "revoked_at": tx.now(), "last_used_at": None}
        return self.revoke_within(tx, row["id"]) or tx.insert_new(self.tables.keys, [barred], ["id"]) > 0

    def change_role_within(self, tx: Tx, key_id: str, role: Role) -> None:
        """An operator's key gets another role; call `forget` after the commit."""
        keys = self.tables.keys
        tx.execute(update(keys).where(keys.c.id == key_id, keys.c.scope == "operator").values(role=role))

    def forget(self, key_id: str) -> None:
        """Look this key up anew when it is used next: what is stored of it has changed."""
        with self._lock:
            self._forgot += 1
            for digest in [digest for digest, kept in self._verified.items() if kept.holder.key_id == key_id]:
                del self._verified[digest]

    def listed(self, tx: Tx, most: int) -> list[dict[str, Any]]:
        """The latest first: `{id, scope, role, name, created_at, expires_at, last_used_at, revoked_at}`, moments as on
        the wire; never a key itself.
        """
        keys = self.tables.keys
        rows = select(*(keys.c[name] for name in LISTED)).order_by(keys.c.created_at.desc(), keys.c.id).limit(most)
        lines = [dict(zip(LISTED, row, strict=True)) for row in tx.execute(rows)]
        for line in lines:
            for moment in MOMENTS:
                line[moment] = None if line[moment] is None else to_wire(line[moment])
        return lines

    def _recall(self, digest: bytes) -> _Verified | None:
        with self._lock:
            return self._verified.get(digest)

    def _verify(self, plain: str, kept: _Verified | None) -> _Verified | None:
        """What to remember of the key; None when it opens nothing."""
        try:
            scope, key_id, secret = _parts(plain)
        except ValueError:
            return None
        keys, now = self.tables.keys, self._clock()
        with self.database.read() as tx:
            row = tx.execute(select(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))).one_or_none()
            left = _REMEMBERED_FOR
            if row is not None and row.expires_at is not None:
                left = min(left, (row.expires_at - tx.now()) / 1000)
            must_change = self._people and scope == "operator" and self._must_change(tx, key_id)
        if row is None or row.scope != scope or left <= 0:
            return None
        if (kept is None or kept.hash != row.hash) and not _matches(row.hash, secret):
            return None
        holder = Holder(key_id, scope, row.name, cast("Role | None", row.role), row.expires_at, must_change)
        return _Verified(holder, row.hash, now, now + left, kept.use_written_at if kept else float("-inf"))

    def _must_change(self, tx: Tx, key_id: str) -> bool:
        """Is it the key of somebody who still has a first password?"""
        people, first = self.tables.operators.c, self._first.c
        theirs = select(first.operator).where(first.operator == people.name, people.key_id == key_id)
        return tx.execute(theirs).first() is not None

    def _write_use(self, key_id: str) -> None:
        """Somebody has used the key. Trouble with writing that down is no reason to refuse them."""
        keys = self.tables.keys
        try:
            with self.database.begin() as tx:
                now = tx.now()
                old = or_(keys.c.last_used_at.is_(None), keys.c.last_used_at <= now - int(_USED_EVERY * 1000))
                tx.execute(update(keys).where(keys.c.id == key_id, old).values(last_used_at=now))
        except DATABASE_ERRORS as error:
            log.warning("use_of_key_not_written", key=key_id, trouble=said_by(error))


def new_key(scope: Scope) -> str:
    """A fresh key that no database knows yet. The id is letters only: a run of digits could look like a card number."""
    if scope not in PREFIXES:
        raise ValueError(f"scope {scope!r}: allowed are {', '.join(PREFIXES)}")
    key_id = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
    return f"{PREFIXES[scope]}_{key_id}_{secrets.token_urlsafe(32)}"


def is_key(plain: str) -> bool:
    """Does it look like a key? Says nothing about whether it opens anything."""
    return _KEY.fullmatch(plain) is not None


def expiry(now: int, *, in_days: int | None = None, at: str | None = None) -> int | None:
    """The moment at which a new key shall expire: so many days from now, or an RFC 3339 time; None for never.

    ValueError when both are given, or it is not in the future, or more than ten years ahead.
    """
    if in_days is None and at is None:
        return None
    if in_days is not None and at is not None:
        raise ValueError("either days or a moment, not both")
    moment = now + days(in_days) if in_days is not None else _moment(at or "")
    if not now < moment <= now + days(_MOST_DAYS):
        raise ValueError("a key expires in the future, at most ten years from now")
    return moment


def _moment(text: str) -> int:
    try:
        return from_wire(text)
    except ValueError:
        raise ValueError("an RFC 3339 time such as 2026-11-24T10:00:00Z is needed") from None


def _parts(plain: str) -> tuple[Scope, str, str]:
    match = _KEY.fullmatch(plain)
    if match is None:
        raise ValueError("that is no access key: one begins with sk_, wk_, op_ or mk_, and was shown when it was made")
    prefix, key_id, secret = match.groups()
    return next(scope for scope, known in PREFIXES.items() if known == prefix), key_id, secret


def _check_role(scope: Scope, role: str | None) -> None:
    if scope == "operator" and role not in ROLES:
        raise ValueError(f"role {role!r} of an operator's key: allowed are {', '.join(ROLES)}")
    if scope != "operator" and role is not None:
        raise ValueError(f"role {role!r}: a {scope} key has none")


def _matches(hashed: str, secret: str) -> bool:
    try:
        return _HASHER.verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False


def digest_of(plain: str) -> bytes:
    """By which a key is remembered in memory, so that the key itself is not."""
    return hashlib.sha256(plain.encode()).digest()
