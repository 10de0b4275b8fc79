"""What the services behind the gateway answer, for ShopManager's OpenAPI document: clients see one API (decision 071).

The routes are only read, never called, so what they would work with is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter

NOTHING: Any = None


def routers_to_describe(services: Iterable[str]) -> list[APIRouter]:
    """The routes of these services that the gateway passes on."""
    return [router for service in services for router in ROUTERS[service]()]


def _shop() -> list[APIRouter]:
    from shop_service.api import carts_router, catalogue_router  # noqa: PLC0415  # only ShopManager describes them

    return [catalogue_router(NOTHING), carts_router(NOTHING, NOTHING)]


def _risk() -> list[APIRouter]:
    from risk_service.api import risk_router  # noqa: PLC0415  # as above

    return [risk_router(NOTHING)]


def _payment() -> list[APIRouter]:
    from payment_service.api import payment_router, webhooks_router  # noqa: PLC0415  # as above

    return [webhooks_router(NOTHING, NOTHING, NOTHING), payment_router(NOTHING)]


def _fulfillment() -> list[APIRouter]:
    from fulfillment_service.api import shipments_router, stock_router  # noqa: PLC0415  # as above

    return [stock_router(NOTHING), shipments_router(NOTHING, NOTHING)]


ROUTERS: Mapping[str, Callable[[], list[APIRouter]]] = {
    "shop": _shop,
    "risk": _risk,
    "payment": _payment,
    "fulfillment": _fulfillment,
}
