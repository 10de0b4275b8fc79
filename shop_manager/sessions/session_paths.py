"""Which requests open a session, or are about one's cart, payment or shipment: asked by middleware."""

from __future__ import annotations

import re
from typing import NamedTuple

from starlette.types import Scope

_ABOUT = re.compile(r"/(shop/carts|payment|fulfillment)/(clk_[!-.0-~]{1,124})(/.*)?")


class About(NamedTuple):
    """`where`: `shop/carts`, `payment` or `fulfillment`; `rest`: what follows the session."""

    where: str
    session: str
    rest: str


def about_session(scope: Scope) -> About | None:
    """What a request is about, where it is about one session's; else None."""
    found = _ABOUT.fullmatch(scope["path"]) if scope["type"] == "http" else None
    return About(*found.groups("")) if found else None


def opens_session(scope: Scope) -> bool:
    return bool(scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/shop/session")
