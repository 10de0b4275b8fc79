"""Middleware: who hears from payment that the provider is asked finds the session no longer saying `pay`.

Payment has reported it by then (M9), and ShopManager, whichever takes the report, writes it a moment later. The answer
is held for that moment (docs/decisions/088).
"""

from __future__ import annotations

import asyncio

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_api.problems import Problem
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.sessions.reads import Sessions
from shop_manager.sessions.session_paths import about_session

HELD_FOR = 0.5
"""Seconds that an answer waits for the report at most; it takes some 20 ms where all is well."""
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between two looks: doubling from the first to the longest."""


class AuthorizingIsShown:
    """Holds answers of `/payment/{session}` that say `authorizing` while the session still asks for a payment."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app = app
        self.sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = about_session(scope)
        if asked is None or asked.where != "payment" or asked.rest:
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def send_when_shown(message: Message) -> None:
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                if is_authorizing(held):
                    await self._until_shown(asked.session)
                for each in held:
                    await send(each)

        await self.app(scope, receive, send_when_shown)

    async def _until_shown(self, clerk: str) -> None:
        clock = asyncio.get_running_loop().time
        end, pause = clock() + HELD_FOR, FIRST_PAUSE
        while await run_in_threadpool(self._asks_to_pay, clerk) and clock() < end:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _asks_to_pay(self, clerk: str) -> bool:
        """Is it the customer's turn, as far as ShopManager knows? False while that cannot be found out."""
        try:
            return self.sessions.reread(clerk).waits_for == "customer"
        except (Problem, *DATABASE_ERRORS):
            return False


def is_authorizing(answer: list[Message]) -> bool:
    """Does payment say so in these messages of a whole response?"""
    body = b"".join(message.get("body", b"") for message in answer)
    if answer[0].get("status") not in (200, 202) or b"authorizing" not in body:
        return False
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(told, dict) and told.get("status") == "authorizing"
