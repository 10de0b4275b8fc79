"""Logins at an OpenID provider that are not back yet: each is bound to one browser's cookie, and used once (S2, S8)."""

from __future__ import annotations

import hmac
import secrets
from typing import NamedTuple

from sqlalchemy import MetaData, delete, func, select

from domain.times import minutes
from http_api.openid_options import BegunLogin
from http_api.problems import Problem
from messaging.database import Database
from shop_manager.dashboard.logins import token_hash
from shop_manager.engine.login_table import provider_logins_table

LIFETIME = minutes(10)
"""ms in which somebody has to be back."""
MOST = 1_000


class Returned(NamedTuple):
    nonce: str
    verifier: str
    return_path: str
    act: str | None


class ProviderLogins:
    """In ShopManager's database: another process may see the browser come back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = provider_logins_table(MetaData())

    def begin(self, begun: BegunLogin, return_path: str, act: str | None = None) -> str:
        """The value of the browser's cookie. `act`: what was sent, to be shown again (not_yet.py).

        Problem `overloaded` when too many are under way.
        """
        token, table = secrets.token_urlsafe(32), self._table
        with self._database.begin() as tx:
            now = tx.now()
            tx.execute(delete(table).where(table.c.began_at <= now - LIFETIME))
            if tx.execute(select(func.count()).select_from(table)).scalar_one() >= MOST:
                raise Problem("overloaded", "Too many are logging in just now.")
            row = {"hash": token_hash(token), "state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
            tx.insert(table, [{**row, "return_path": return_path, "act": act, "began_at": now}])
        return token

    def take(self, token: str, state: str) -> Returned | None:
        """What was begun with this cookie, which is used up by that; None unless it is of this state, and in time."""
        mine = self._table.c.hash == token_hash(token)
        with self._database.begin() as tx:
            row = tx.execute(select(self._table).where(mine)).one_or_none()
            taken = tx.execute(delete(self._table).where(mine)).rowcount
            now = tx.now()
        if row is None or not taken or now >= row.began_at + LIFETIME:
            return None
        if not hmac.compare_digest(row.state.encode(), state.encode()):
            return None
        return Returned(row.nonce, row.verifier, row.return_path, row.act)
