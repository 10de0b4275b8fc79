"""The sessions' client secrets: derived from one master secret and the Clerk's id, so only their hash has to be kept.

Deriving them again is what lets an idempotent replay show the very same secret (api.md, Who is calling).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from pydantic import SecretStr
from sqlalchemy import select

from doors.problems import Problem
from messaging.database import Database
from shop_manager.store import master_secrets

SHORTEST = 32
_NAME = "client_secrets"


class WeakSecret(ValueError):
    """The master secret that was set is too short to derive others from."""


class ClientSecrets:
    """Made from `CLERK_SECRET` where it is set, else from one that is made once and kept in the database.

    Another master secret leaves running sessions as they are (their hash is stored), but replays of opening them
    within the next 24 h would show a secret that does not fit.
    """

    def __init__(self, setting: SecretStr, database: Database) -> None:
        given = setting.get_secret_value()
        if given and len(given) < SHORTEST:
            raise WeakSecret(f"CLERK_SECRET has {len(given)} characters: at least {SHORTEST} are needed, or none")
        self._master = given.encode() or None
        self._database = database

    def prepare(self) -> None:
        """Find the master secret, or make it: whoever is first wins, all others read his."""
        if self._master is None:
            with self._database.begin() as tx:
                tx.insert_new(master_secrets, [{"name": _NAME, "value": os.urandom(32).hex()}], ["name"])
                row = tx.execute(select(master_secrets.c.value).where(master_secrets.c.name == _NAME)).one()
            self._master = bytes.fromhex(row.value)

    def of(self, clerk: str) -> str:
        """`cs_…` with 256 bits. Problem 503 while the database has not been reached since this process began."""
        if self._master is None:
            raise Problem("database_unavailable")
        digest = hmac.new(self._master, clerk.encode(), hashlib.sha256).digest()
        return "cs_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(secret: str) -> str:
    """SHA-256 in hex: what the document and the services keep."""
    return hashlib.sha256(secret.encode()).hexdigest()
