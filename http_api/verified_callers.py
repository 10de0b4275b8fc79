"""Tells callers with a good access key from all others, where nothing else depends on it than whose turn it is."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from fastapi import Request

from http_api.bulkhead import Caller
from http_api.keys import PREFIXES, Holder, KeyCheck, KeysUnavailable, digest_of, is_key
from http_api.request import bearer, origin
from messaging.database_errors import DATABASE_ERRORS

VERIFYING = 2
"""Threads of their own: the gateway takes none of those that answer requests."""
VERIFIED_WITHIN = 1.0
"""Seconds. Whoever's key could not be looked at in that time has the places of callers without a key."""


class VerifiedCallers:
    """A key that was good within the last minute needs no look; another one is looked up first."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(VERIFYING, thread_name_prefix="verified-callers")

    async def caller_of(self, request: Request) -> Caller:
        """Whom the request counts for. It gives no rights: whoever answers the request checks the key again."""
        try:
            token = bearer(request.scope)
        except ValueError:
            token = None
        if token is not None and _may_go_ahead(token) and await self._is_good(request.app.state.keys, token):
            return Caller(digest_of(token).hex(), has_key=True)
        return Caller(origin(request.scope).network, has_key=False)

    async def _is_good(self, keys: KeyCheck, token: str) -> bool:
        if keys.known(token):
            return True

        def check() -> Holder | None:
            return keys.check(token)

        looking = asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, check)
        try:
            async with asyncio.timeout(VERIFIED_WITHIN):
                return await looking is not None
        except (KeysUnavailable, TimeoutError, *DATABASE_ERRORS):
            return False


def _may_go_ahead(token: str) -> bool:
    """Is it a key that opens something at the services behind? The monitoring asks each of them itself."""
    return is_key(token) and not token.startswith(f"{PREFIXES['monitoring']}_")
