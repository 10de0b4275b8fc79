"""Middleware: what a service does not have yet of a session, ShopManager says why (docs/decisions/078).

A service learns of a session with its command: before that it cannot tell one that has not come so far from one that
does not exist, and answers 404 to both. Whoever may see the session hears here how far it is; everybody else that 404.
A client secret that does not fit is answered here: at the services it would wait for what never comes, and take the
places of those who wait for what does (docs/decisions/084).
The 404 of an address that no route has stays what it is: nothing will ever be there.
Whether an order is placed the cart knows first: it is asked before anybody is told that it is not (docs/decisions/093).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.document import part
from domain.money import amount
from http_api.principals import Principal, credentials, identify
from http_api.problem_response import problem_response
from http_api.problems import Problem, not_found
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.saga.state import Saga
from shop_manager.sessions.cart_question import unless_placed
from shop_manager.sessions.reads import Sessions
from shop_manager.sessions.session_paths import about_session
from shop_manager.sessions.view import steps_of

WAITED_FOR = ("shop/carts", "payment")
"""Where the service waits a while for what may be on its way."""
REMEMBERED = 10_000
"""Pairs of a session and its secret's hash."""
_NAMES = {"shop/carts": "cart", "payment": "payment", "fulfillment": "shipment"}


class SessionsElsewhere:
    """Replaces a 404 about a session's cart, payment or shipment, for those who may see the session.

    Customers' secrets that fit their session are remembered: they fit for ever.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app = app
        self.sessions = sessions
        self._fitting: OrderedDict[tuple[str, str | None], None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = about_session(scope)
        if asked is None:
            await self.app(scope, receive, send)
            return
        if asked.where in WAITED_FOR and await self._is_strangers(Request(scope), asked.session):
            await problem_response(not_found(), scope, receive, send)
            return
        replaced = False

        async def send_or_explain(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 404:
                problem = await run_in_threadpool(self._why, Request(scope), asked.where, asked.session)
                if problem is not None and problem.code == "order_not_placed":
                    on_its_way = not_ready_yet(asked.session, asked.where)
                    problem = await unless_placed(self.app, scope, asked.session, problem, on_its_way)
                if problem is not None:
                    replaced = True
                    await problem_response(problem, scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, send_or_explain)

    async def _is_strangers(self, request: Request, clerk: str) -> bool:
        """Was a client secret shown that is not this session's? A session that does not exist has none."""
        try:
            who = credentials(request)
        except Problem:
            return False
        if not isinstance(who, Principal) or who.kind != "customer" or (clerk, who.secret_sha256) in self._fitting:
            return False
        try:
            await run_in_threadpool(self.sessions.read, clerk, who)
        except Problem:
            return True
        except DATABASE_ERRORS:
            return False  # the service says the same, after its wait
        self._fitting[clerk, who.secret_sha256] = None
        if len(self._fitting) > REMEMBERED:
            self._fitting.popitem(last=False)
        return False

    def _why(self, request: Request, path: str, clerk: str) -> Problem | None:
        """What to answer instead; None for who may not see the session, and where there is no such route."""
        if not has_route(request.scope["path"], request.app.openapi()["paths"]):
            return None
        try:
            who: Principal = identify(request)
            saga = self.sessions.read(clerk, who) if who.kind in ("customer", "server") else None
        except Problem as problem:
            return problem if problem.known.status == 503 else None
        except DATABASE_ERRORS:
            return Problem("database_unavailable")
        return None if saga is None else why_not_there(saga, steps_of(self.sessions.manager.processes, saga), path)


def has_route(path: str, templates: Iterable[str]) -> bool:
    """Is the path one of those, such as `/payment/{session}`?"""
    return any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) for template in templates)


def why_not_there(saga: Saga, steps: list[str], path: str) -> Problem:
    """Why the session has no cart, payment or shipment. `path` is where it would be: `payment`, `shop/carts`, …"""
    name, question = _NAMES[path], saga.question
    if saga.status != "running":
        detail = f"There is no {name}: the session has ended or is being undone, it is {saga.status}. Open a new one."
        return Problem("session_ended", detail, session_id=saga.id)
    if name != "cart" and question is not None and question.step in steps[:1]:
        detail = f"There is no {name} yet: place the order first with `POST /shop/carts/{saga.id}/order`."
        return Problem("order_not_placed", detail, session_id=saga.id)
    order = part(saga.document, "order")
    if name == "payment" and order.get("total") == 0:
        currency = str(part(saga.document, "clerk").get("currency"))
        detail = f"Nothing is to be paid: the order comes to {amount(0, currency)}."
        return Problem("not_allowed_now", detail, session_id=saga.id)
    if name == "shipment" and saga.waits_for == "customer":
        detail = f"There is no shipment yet: the order is not paid. Pay it first with `POST /payment/{saga.id}`."
        return Problem("order_not_paid", detail, session_id=saga.id)
    if name == "payment" and saga.waits_for == "warehouse":
        detail = "Nothing is to be paid yet: the invoice comes when the goods have left. The session says when."
        return Problem("not_allowed_now", detail, session_id=saga.id)
    return not_ready_yet(saga.id, path)


def not_ready_yet(session: str, path: str) -> Problem:
    """It will be there soon."""
    detail = f"The {_NAMES[path]} is not there yet: it is on its way. Ask again after `Retry-After` seconds."
    return Problem("not_ready_yet", detail, session_id=session)
