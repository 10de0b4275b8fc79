"""What a shop sells, as ShopManager tells whoever answers for the catalogue in its process.

The shops are ShopManager's, the articles the shop service's. In `clerk up` both are one application, and the route of
the catalogue asks here; elsewhere the gateway asks, and passes on what it was told (docs/decisions/066).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from domain.ids import is_id
from http_api.problems import Problem, invalid


@dataclass(frozen=True, slots=True)
class ShopOffer:
    """A shop sells what its type says (`physical`, `digital` or `mixed`), in its currency."""

    shop_type: Literal["physical", "digital", "mixed"]
    currency: str


CATALOGUE = "/shop/products"
FindOffer = Callable[[str], ShopOffer | None]
"""(the shop's id) → what it sells; None when there is no such shop."""


def tell_offers(app: FastAPI, find: FindOffer) -> None:
    """From now on this application's routes can ask what a shop sells."""
    app.state.find_offer = find


def offer_of(app: FastAPI, shop: str) -> ShopOffer:
    """What the shop sells; Problem 404 `shop_unknown`, or 422 in a process that does not know the shops."""
    find = cast("FindOffer | None", getattr(app.state, "find_offer", None))
    if find is None:
        raise invalid("shop", "this service does not know the shops: ask ShopManager, or send `shop_type`, `currency`")
    found = find(shop)
    if found is None:
        raise Problem("shop_unknown", param="shop")
    return found


async def resolved_query(request: Request) -> bytes:
    """The query as it came; where the catalogue is asked for a shop, with its type and currency instead of its id.

    What is no id, or comes twice, goes on as it came: the catalogue refuses it. Problem 404 `shop_unknown`.
    """
    query: bytes = request.scope["query_string"]
    named = request.query_params.getlist("shop") if request.scope["path"] == CATALOGUE else []
    if len(named) != 1 or not is_id(named[0]):
        return query
    offer = await run_in_threadpool(offer_of, request.app, named[0])
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "shop"]
    return urlencode([*others, ("shop_type", offer.shop_type), ("currency", offer.currency)]).encode()
