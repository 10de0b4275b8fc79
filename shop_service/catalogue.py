"""The rules of the catalogue, pure: what an article is, and where it may be sold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.refusals import Refused

ArticleKind = Literal["physical", "digital"]
ShopType = Literal["physical", "digital", "mixed"]


@dataclass(frozen=True, slots=True)
class Product:
    """An article in the catalogue. `unit_amount` in minor units of `currency` (ISO 4217)."""

    sku: str
    name: str
    unit_amount: int
    currency: str
    kind: ArticleKind
    withdrawn: bool = False


LISTED = "`GET /shop/products?shop=ID` lists what a shop sells"


def sells(shop_type: ShopType, kind: ArticleKind) -> bool:
    """Does a shop of this type sell articles of this kind? In one of the other type nobody would ever deliver them."""
    return shop_type in ("mixed", kind)


def on_offer(product: Product | None, sku: str, currency: str, shop_type: ShopType) -> Product | Refused:
    """The article, when a shop of that type may sell it in that currency; else `article_unknown` and why."""
    if product is None:
        return Refused("article_unknown", f"there is no article {sku}: {LISTED}")
    if product.withdrawn:
        return Refused("article_unknown", f"article {sku} is no longer sold: {LISTED}")
    if product.currency != currency:
        return Refused("article_unknown", f"article {sku} is sold in {product.currency}, not in {currency}: {LISTED}")
    if not sells(shop_type, product.kind):
        return Refused("article_unknown", f"article {sku} is {product.kind}: this shop sells {shop_type} articles only")
    return product
