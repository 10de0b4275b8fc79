"""The sessions' client secrets: derived from one master secret and the Clerk's id, so only their hash has to be kept.

Deriving them again is what lets an idempotent replay show the very same secret (docs/design/api.md).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

import structlog
from pydantic import SecretStr
from sqlalchemy import delete, select

from http_api.problems import Problem
from messaging.database import Database
from shop_manager.engine.tables import master_secrets

SHORTEST = 32
_NAME = "client_secrets"
log = structlog.get_logger()


class WeakSecret(ValueError):
    """The master secret that was set is too short to derive others from."""


class ClientSecrets:
    """Made from `CLERK_SECRET` where it is set, else from one that is made once and kept in the database.

    Another master secret leaves running sessions as they are: their hash is stored. But their secrets cannot be shown
    again, so a replay of opening one gets `client_secret_gone` (docs/decisions/057).
    """

    def __init__(self, setting: SecretStr, database: Database) -> None:
        given = setting.get_secret_value()
        if given and len(given) < SHORTEST:
            raise WeakSecret(f"CLERK_SECRET has {len(given)} characters: at least {SHORTEST} are needed, or none")
        self._is_set = bool(given)
        self._master = given.encode() or None
        self._database = database

    def prepare(self) -> None:
        """Find the master secret, or make it: the first ShopManager that writes one wins, the others read it.

        Where one is set, one in the database is deleted: a dump of it would open the sessions that were made from it.
        """
        if self._is_set:
            self._delete_kept()
        elif self._master is None:
            with self._database.begin() as tx:
                tx.insert_new(master_secrets, [{"name": _NAME, "value": os.urandom(32).hex()}], ["name"])
                row = tx.execute(select(master_secrets.c.value).where(master_secrets.c.name == _NAME)).one()
            self._master = bytes.fromhex(row.value)

    def find(self) -> bool:
        """Find the master secret, and neither make nor delete one; False when there is none."""
        if self._master is None:
            with self._database.look() as tx:
                row = tx.execute(select(master_secrets.c.value).where(master_secrets.c.name == _NAME)).first()
            self._master = bytes.fromhex(row.value) if row else None
        return self._master is not None

    def _delete_kept(self) -> None:
        kept = master_secrets.c.name == _NAME
        with self._database.read() as tx:
            if tx.execute(select(master_secrets.c.name).where(kept)).first() is None:
                return
        self._database.erase(delete(master_secrets).where(kept))
        log.warning("master_secret_deleted", means="CLERK_SECRET is used from now on")

    def of(self, clerk: str) -> str:
        """`cs_…` with 256 bits. Problem 503 while the database has not been reached since this process began."""
        if self._master is None:
            raise Problem("database_unavailable")
        digest = hmac.new(self._master, clerk.encode(), hashlib.sha256).digest()
        return "cs_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def hashed(self, text: str) -> str:
        """What is kept of something personal: without the shop's secret nobody can find out what it was.

        In hex; Problem as in `of`. No text may look like a Clerk's id: put a word before it.
        """
        return hash_of(self.of(text))


def hash_of(secret: str) -> str:
    """SHA-256 in hex: what the document and the services keep."""
    return hashlib.sha256(secret.encode()).hexdigest()
