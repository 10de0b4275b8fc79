"""Asks risk for a customer's credit as it is now, over HTTP like any other reader (docs/decisions/130).

The question goes to the application itself, to risk's route or to the gateway. Who has called with a key asks with
that; for who is logged in to the dashboard ShopManager asks with a key of its own, which may only see.
"""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import quote

from anyio import from_thread
from fastapi import Request
from sqlalchemy import delete

from domain.times import minutes
from http_api.keys import KeyRing, new_key
from shop_manager.sessions.own_routes import answer_of

WITHIN = 2.0
"""Seconds that a page waits for risk."""
NAME = "dashboard"
GOOD_FOR = minutes(10)
EARLY = minutes(1)
NO_ANSWER = "risk does not answer at the moment: open the page again in a while"
NO_ADDRESS = "risk is in another process, and its address is not known here (CLERK_RISK_URL)"
ACCOUNT = ("currency", "limit", "reserved", "outstanding", "available")


class Credit(NamedTuple):
    """`accounts`: one for each currency, amounts in minor units; None with `why` where risk has not said it."""

    accounts: list[dict[str, Any]] | None
    why: str | None = None


class CreditQuestion:
    """For any thread of a request."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._lock = Lock()
        self._key = ""
        self._good_until = 0

    def ask(self, request: Request, customer: str) -> Credit:
        shown = request.headers.get("authorization") or f"Bearer {self._own_key()}"
        headers = [(b"authorization", shown.encode("latin-1")), (b"host", request.headers.get("host", "").encode())]
        status, told = from_thread.run(_answer, request, f"/risk/customers/{quote(customer, safe='')}", headers)
        accounts = told.get("accounts")
        if status == 200 and isinstance(accounts, list):
            return Credit([{name: each[name] for name in ACCOUNT} for each in accounts])
        return Credit(None, NO_ADDRESS if status == 404 else NO_ANSWER)

    def _own_key(self) -> str:
        """Made anew every few minutes; those before have expired and are taken away."""
        with self._lock:
            with self._ring.database.look() as tx:
                is_good = tx.now() < self._good_until - EARLY
            if not is_good:
                self._make_key()
            return self._key

    def _make_key(self) -> None:
        keys = self._ring.tables.keys
        with self._ring.database.begin() as tx:
            now = tx.now()
            tx.execute(delete(keys).where(keys.c.name == NAME, keys.c.role == "viewer", keys.c.expires_at < now))
            self._key, self._good_until = new_key("operator"), now + GOOD_FOR
            self._ring.put_within(tx, self._key, NAME, "viewer", expires_at=self._good_until)


async def _answer(request: Request, path: str, headers: list[tuple[bytes, bytes]]) -> tuple[int, dict[str, Any]]:
    try:
        async with asyncio.timeout(WITHIN):
            return await answer_of(request.app, request.scope, path, headers)
    except TimeoutError:
        return 503, {}
