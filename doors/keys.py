"""Access keys: `sk_…` for the shop's backend, `wk_…` for the warehouse, `op_…` for operators' scripts.

A key is `PREFIX_ID_SECRET`: the row is found by the id, so that one argon2 check is enough; the secret is only hashed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, select, update

from messaging.database import Database, Tx

Scope = Literal["server", "warehouse", "operator"]
Role = Literal["viewer", "operator", "admin"]
PREFIXES: dict[Scope, str] = {"server": "sk", "warehouse": "wk", "operator": "op"}
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
"""Each may do all that those before it may."""

_KEY = re.compile(r"(sk|wk|op)_([a-z]{12})_([A-Za-z0-9_-]{43})")
_REMEMBERED_FOR = 60.0
_REMEMBERED = 1000

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
    """Whose key it is. `role` is set exactly for the scope `operator`."""

    key_id: str
    scope: Scope
    name: str
    role: Role | None = None


class KeyRing:
    """The keys in one database. Any number of live keys may have the same name: that is how keys are rotated.

    A verified key is remembered for a minute, so a revocation elsewhere takes that long to be seen here. `clock`
    gives seconds. All methods may be called from any thread; all but `known` raise SQLAlchemy's errors.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.tables = key_tables(MetaData())
        self._clock = clock
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, tuple[Holder, float]] = OrderedDict()

    def create(self, scope: Scope, name: str, role: Role | None = None) -> str:
        """Makes a key and returns it: the only moment at which it can be seen. ValueError on a wrong scope or role."""
        plain = new_key(scope)
        self.put(plain, name, role)
        return plain

    def put(self, plain: str, name: str, role: Role | None = None) -> str:
        """Stores a key made elsewhere, so that several services know it; again changes nothing. Returns its id.

        ValueError when it is no key, or the role does not go with its scope.
        """
        with self.database.begin() as tx:
            return self.put_within(tx, plain, name, role)

    def put_within(self, tx: Tx, plain: str, name: str, role: Role | None = None) -> str:
        """The same in the caller's transaction."""
        scope, key_id, secret = _parts(plain)
        _check_role(scope, role)
        row = {
            "id": key_id,
            "scope": scope,
            "role": role,
            "name": name,
            "hash": _HASHER.hash(secret),
            "created_at": tx.now(),
        }
        tx.upsert(self.tables.keys, [row], keys=["id"], keep=list(row))
        return key_id

    def check(self, plain: str) -> Holder | None:
        """Whose key this is; None for a malformed, unknown, wrong or revoked one, without telling which."""
        held = self._recall(plain)
        if held is not None:
            return held
        holder = self._verify(plain)
        if holder is not None:
            with self._lock:
                self._verified[_digest(plain)] = (holder, self._clock() + _REMEMBERED_FOR)
                if len(self._verified) > _REMEMBERED:
                    self._verified.popitem(last=False)
        return holder

    def known(self, plain: str) -> bool:
        """Was this key verified within the last minute? Never touches the database."""
        return self._recall(plain) is not None

    def revoke(self, key_id: str) -> bool:
        """The key opens nothing any more, from now on; False when there was no such live key."""
        with self.database.begin() as tx:
            found = self.revoke_within(tx, key_id)
        self.forget(key_id)
        return found

    def revoke_within(self, tx: Tx, key_id: str) -> bool:
        """The same in the caller's transaction, who calls `forget` after its commit."""
        keys = self.tables.keys
        live = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        return bool(tx.execute(live.values(revoked_at=tx.now())).rowcount)

    def change_role_within(self, tx: Tx, key_id: str, role: Role) -> None:
        """An operator's key gets another role; call `forget` after the commit."""
        keys = self.tables.keys
        tx.execute(update(keys).where(keys.c.id == key_id, keys.c.scope == "operator").values(role=role))

    def forget(self, key_id: str) -> None:
        """Look this key up anew when it is used next: what is stored of it has changed."""
        with self._lock:
            for digest in [digest for digest, (holder, _) in self._verified.items() if holder.key_id == key_id]:
                del self._verified[digest]

    def _recall(self, plain: str) -> Holder | None:
        digest = _digest(plain)
        with self._lock:
            holder, until = self._verified.get(digest, (None, 0.0))
            if holder is not None and self._clock() >= until:
                del self._verified[digest]
                return None
            return holder

    def _verify(self, plain: str) -> Holder | None:
        try:
            scope, key_id, secret = _parts(plain)
        except ValueError:
            return None
        keys = self.tables.keys
        with self.database.read() as tx:
            row = tx.execute(select(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))).one_or_none()
        if row is None or row.scope != scope or not _matches(row.hash, secret):
            return None
        return Holder(key_id, scope, row.name, cast("Role | None", row.role))


def new_key(scope: Scope) -> str:
    """A fresh key that no database knows yet. The id is letters only: a run of digits could look like a card number."""
    if scope not in PREFIXES:
        raise ValueError(f"scope {scope!r}: allowed are {', '.join(PREFIXES)}")
    key_id = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
    return f"{PREFIXES[scope]}_{key_id}_{secrets.token_urlsafe(32)}"


def _parts(plain: str) -> tuple[Scope, str, str]:
    match = _KEY.fullmatch(plain)
    if match is None:
        raise ValueError("that is no access key: one begins with sk_, wk_ or op_ and was shown when it was created")
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


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode()).digest()
