"""The rules of the catalogue, pure: what an article is, and where it may be sold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.refusals import Refused

Kind = Literal["physical", "digital"]


@dataclass(frozen=True, slots=True)
class Product:
    """An article on the shelf. `unit_amount` in minor units of `currency` (ISO 4217)."""

    sku: str
    name: str
    unit_amount: int
    currency: str
    kind: Kind
    withdrawn: bool = False


def on_offer(product: Product | None, sku: str, currency: str, shop_type: Kind) -> Product | Refused:
    """The article, when a shop of that type may sell it in that currency; else `article_unknown` and why.

    A download cannot be put on a sled, and a bone cannot be sent by wire: a shop sells articles of its own type only,
    because nobody would ever deliver the others.
    """
    if product is None:
        return Refused("article_unknown", f"there is no article {sku}")
    if product.withdrawn:
        return Refused("article_unknown", f"article {sku} is no longer sold")
    if product.currency != currency:
        return Refused("article_unknown", f"article {sku} is not sold in {currency}")
    if product.kind != shop_type:
        return Refused("article_unknown", f"article {sku} is {product.kind}: this shop sells {shop_type} articles only")
    return product
