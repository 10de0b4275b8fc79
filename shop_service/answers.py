"""The models of the shop's answers, and what its routes say in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import ABSENT, Amount, Answer, Currency, Moment, Page, SessionId, SkuShown, shown_as
from http_api.documented import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_NONE_MATCH_TO_WRITE,
    NOT_MODIFIED,
    SESSION_ETAG,
    documented,
    documented_put,
    documented_read,
)
from http_api.principals import Shown
from shop_service.catalogue import ArticleKind


class Product(Answer):
    """An article of the catalogue."""

    model_config = shown_as(
        {
            "sku": "SQUEAKY-BONE",
            "name": "Squeaky bone",
            "unit_amount": 1295,
            "currency": "EUR",
            "kind": "physical",
            "withdrawn": False,
        }
    )

    sku: SkuShown
    name: Annotated[str, Field(examples=["Squeaky bone"])]
    unit_amount: Annotated[int, Field(description="minor units", examples=[1295])]
    currency: Currency
    kind: ArticleKind
    withdrawn: Annotated[bool, Field(description="no longer sold; orders that have it know it still")]


class CartItem(Answer):
    """So many of one article, at the price of this moment, or of the order."""

    sku: SkuShown
    name: Annotated[str, Field(examples=["Squeaky bone"])]
    quantity: Annotated[int, Field(examples=[2])]
    unit_amount: Annotated[int, Field(description="minor units", examples=[1295])]
    total: Amount
    kind: Annotated[ArticleKind, Field(description="missing in orders that were placed before it was kept")] = ABSENT
    available: Annotated[bool, Field(description="false: it cannot be ordered any more; missing where it can")] = ABSENT


class Cart(Answer):
    """A session's cart, or the order that it became."""

    model_config = shown_as(
        {
            "session": "clk_0193k2v8p4q7",
            "currency": "EUR",
            "items": [
                {
                    "sku": "SQUEAKY-BONE",
                    "name": "Squeaky bone",
                    "quantity": 2,
                    "unit_amount": 1295,
                    "total": 2590,
                    "kind": "physical",
                }
            ],
            "total": 2590,
            "status": "open",
            "expires_at": "2026-11-23T14:35:53.000Z",
        }
    )

    session: SessionId
    currency: Currency
    items: list[CartItem]
    total: Amount
    status: Annotated[Literal["open", "placed"], Field(description="`placed`: it is ordered, its prices are fixed")]
    expires_at: Annotated[Moment | None, Field(description="until when it can be ordered")]


_OF_CART = ("not_found", "not_ready_yet", "session_ended")
_SHOWN_BY: Sequence[Shown] = ("customer", "server")

LIST_PRODUCTS = documented_read(Page[Product], says="A page of what is sold.", problems=["shop_unknown"])
PUT_PRODUCT = documented_put(Product, says="The article as it is now.")
READ_CART = documented(
    Cart,
    says="The cart.",
    empty=NOT_MODIFIED,
    headers=[ETAG, SESSION_ETAG],
    takes=[IF_NONE_MATCH],
    problems=_OF_CART,
    shown_by=_SHOWN_BY,
)
PUT_CART_ITEM = documented(
    Cart,
    says="The cart as it is now.",
    headers=[ETAG, SESSION_ETAG],
    takes=[IF_MATCH, IF_NONE_MATCH_TO_WRITE],
    problems=[*_OF_CART, "not_allowed_now", "article_unknown", "version_conflict"],
    current=Cart,
    shown_by=_SHOWN_BY,
)
PLACE_ORDER = documented(
    Cart,
    202,
    says="The order is placed.",
    headers=[ETAG, SESSION_ETAG],
    takes=[IF_MATCH],
    problems=[*_OF_CART, "cart_empty", "article_unknown", "price_changed", "version_conflict"],
    current=Cart,
    current_in=["article_unknown", "price_changed", "version_conflict"],
    shown_by=_SHOWN_BY,
)
