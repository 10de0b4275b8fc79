"""Asks the cart whether its order is placed: what ShopManager cannot know before the shop's reply (docs/decisions/093).

The question goes to the application itself, to the shop's routes or to the gateway, with the caller's credentials.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Scope

from http_api.problems import Problem
from shop_manager.sessions.own_routes import answer_of

_SHOWN = (b"authorization", b"host")
NOT_KNOWN = (
    "Whether the order has been placed cannot be found out at the moment: ask again after `Retry-After` seconds."
)


async def unless_placed(app: ASGIApp, scope: Scope, session: str, problem: Problem, on_its_way: Problem) -> Problem:
    """`problem` where the cart says too that nothing was ordered, `on_its_way` where it was.

    Else what the cart says of a session that has ended, and a 503 where it says nothing that tells.
    """
    shown = [(name, value) for name, value in scope["headers"] if name in _SHOWN]
    status, told = await answer_of(app, scope, f"/shop/carts/{session}", shown)
    if status == 404 or (status == 200 and told.get("status") == "open"):
        return problem
    if status == 200 and told.get("status") == "placed":
        return on_its_way
    if told.get("code") == "session_ended":
        return Problem("session_ended", session_id=session)
    return Problem("service_unavailable", NOT_KNOWN, session_id=session)
