"""The shop's HTTP routes: the catalogue for everybody, each session's cart for its customer (docs/design/api.md)."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, StringConstraints

from domain.money import amount
from domain.refusals import Refused
from http_api.access_check import AccessCheck
from http_api.conventions import (
    NOT_BLANK,
    Body,
    Currency,
    Id,
    Sku,
    check_if_match,
    check_if_none_match,
    decode_cursor,
    digest_of,
    encode_cursor,
    etag,
    example,
    page,
    unless_changed,
    unless_known,
    with_digest,
)
from http_api.principals import (
    AnyPrincipal,
    NetworkOf,
    Principal,
    is_server_or_owner,
    require_kind,
    require_server,
)
from http_api.problems import Problem, invalid
from http_api.routes import Routes
from http_api.shop_offers import ShopOffer, offer_of
from http_api.text_patterns import PRINTABLE
from messaging.database import Database
from shop_service import answers
from shop_service.catalogue import ArticleKind, Product, ShopType
from shop_service.order import MOST_OF_ONE
from shop_service.queries import Assortment, ShopSession, read_on_sale
from shop_service.store import products, read_products
from shop_service.use_cases import CartUseCases, CartView, NotOnSale, PriceChanged

MOST = 10**9
"""The dearest article, in minor units: 100 lines of 999 of it still fit the database."""
MOST_TOTAL = 2**53 - 1
"""What JavaScript counts exactly; every total is below it."""
NO_CART = (
    "There is no such cart, or it is not yours, or not there yet: use the id and the client secret that "
    "`POST /shop/session` has answered."
)
ArticleName = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=200), NOT_BLANK]


class Article(Body):
    model_config = example({"name": "Squeaky bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical"})

    name: ArticleName
    unit_amount: Annotated[int, Field(ge=0, le=MOST, description="minor units")]
    currency: Currency
    kind: ArticleKind
    withdrawn: Annotated[bool, Field(description="no longer sold; it stays known to the orders that have it")] = False


class Quantity(Body):
    model_config = example({"quantity": 2})

    quantity: Annotated[int, Field(ge=0, le=MOST_OF_ONE, description="0 takes the article out of the cart")]


class Placing(Body):
    model_config = example({"expected_total": 2590})

    expected_total: Annotated[
        int | None, Field(ge=0, le=MOST_TOTAL, description="minor units: what the customer has seen; else 409")
    ] = None


def catalogue_router(database: Database) -> APIRouter:
    """`GET /shop/products` for anybody, `PUT /shop/products/{sku}` with the server key."""
    router = Routes(tags=["shop"])

    @router.get("/shop/products", **answers.LIST_PRODUCTS)
    def list_products(
        *,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
        kind: ArticleKind | None = None,
        shop: Annotated[Id | None, Query(description="what this shop sells: its kinds, its currency")] = None,
        shop_type: Annotated[ShopType | None, Query(description="what a shop of this type sells")] = None,
        currency: Currency | None = None,
    ) -> Response:
        """What is sold, by sku; withdrawn articles are left out. With `If-None-Match` 304 when the page is known."""
        (after,) = decode_cursor(cursor, [str]) if cursor else ("",)
        wanted = Assortment(kind, shop_type, currency)
        wanted = sold_by(wanted, offer_of(request.app, shop)) if shop else wanted
        with database.read() as tx:
            found = read_on_sale(tx, after, wanted, most=limit + 1)
        more = encode_cursor([found[limit - 1].sku]) if len(found) > limit else None
        return unless_known(request, page([asdict(each) for each in found], limit, more))

    @router.put("/shop/products/{sku}", **answers.PUT_PRODUCT, dependencies=[Depends(require_server)])
    def put_product(sku: Sku, body: Article, request: Request) -> Response:
        """Put an article on the shelf, or change it; orders placed before keep their prices."""
        row = asdict(Product(sku, **body.model_dump()))
        with database.begin() as tx:
            tx.lock([f"product:{sku}"])
            kept = read_products(tx, [sku]).get(sku)
            unless_changed(request, asdict(kept) if kept else None)
            tx.upsert(products, [row], ["sku"])
        return with_digest(row)

    return router


def sold_by(wanted: Assortment, offer: ShopOffer) -> Assortment:
    """What is wanted of all that the shop sells; Problem 422 when its type or currency are asked for too."""
    if wanted.shop_type or wanted.currency:
        raise invalid("shop", "a shop has its type and its currency: send `shop_type` and `currency`, or `shop`")
    return Assortment(wanted.kind, offer.shop_type, offer.currency)


def carts_router(cart: CartUseCases, access: AccessCheck[ShopSession]) -> APIRouter:
    """A session's cart, for its own customer (`cs_…`) or the server key; for everybody else there is none (404)."""
    router = Routes(tags=["shop"])

    def require_access(session: str, principal: Principal, network: str) -> None:
        """Returns when the session's cart is there and the principal may use it."""
        require_kind(principal, "customer", "server")
        possible = session.startswith("clk_")
        if not possible or access.find(session, partial(is_server_or_owner, principal), network) is None:
            raise Problem("not_found", NO_CART)

    @router.get("/shop/carts/{session}", **answers.READ_CART)
    def read_cart(session: Id, principal: AnyPrincipal, network: NetworkOf, request: Request) -> Response:
        """The cart at the prices of this moment, or the order that it became. `If-None-Match`: 304 when it is known."""
        require_access(session, principal, network)
        return unless_known(request, cart_or_problem(session, cart.show(session)))

    @router.put("/shop/carts/{session}/items/{sku}", **answers.PUT_CART_ITEM)
    def put_cart_item(
        *, session: Id, sku: Id, body: Quantity, principal: AnyPrincipal, network: NetworkOf, request: Request
    ) -> Response:
        """So many of the article are in the cart from now on. `If-Match`: only in the cart that the client has seen."""
        require_access(session, principal, network)
        unchanged = partial(check_item_unchanged, request, sku)
        return with_digest(cart_or_problem(session, cart.put(session, sku, body.quantity, unchanged)))

    @router.post("/shop/carts/{session}/order", status_code=202, **answers.PLACE_ORDER)
    def place_order(
        session: Id, principal: AnyPrincipal, network: NetworkOf, request: Request, body: Placing | None = None
    ) -> Response:
        """Place the order; again is the same. `If-Match`, `expected_total`: only what the customer has seen."""
        require_access(session, principal, network)
        expected = body.expected_total if body else None
        placed = cart.order(session, expected, partial(check_unchanged, request))
        return with_digest(cart_or_problem(session, placed), 202)

    return router


def check_unchanged(request: Request, cart: CartView) -> None:
    """Goes on when `If-Match` is absent or names the cart as it is now; else Problem 412 with it.

    An order that is placed already also has the version of the cart that it was, for a request that is sent again.
    """
    check_if_match(request, digest_of(cart), digest_of({**cart, "status": "open"}), current=cart)


def check_item_unchanged(request: Request, sku: str, cart: CartView) -> None:
    """The same, of one article in it: `If-None-Match: *` passes while the cart has none of it."""
    check_unchanged(request, cart)
    there = any(item["sku"] == sku for item in cart["items"])
    check_if_none_match(request, digest_of(cart), exists=there, current=cart)


def cart_or_problem(session: str, outcome: CartView | Refused | NotOnSale | PriceChanged) -> CartView:
    if isinstance(outcome, PriceChanged):
        raise price_changed(session, outcome.cart)
    if isinstance(outcome, NotOnSale):
        raise not_on_sale(session, outcome)
    if isinstance(outcome, Refused) and outcome.code == "quantity_out_of_range":
        raise invalid("sku", outcome.detail)
    if isinstance(outcome, Refused):
        param = "sku" if outcome.code == "article_unknown" else None
        raise Problem(outcome.code, outcome.detail, param=param, session_id=session)
    return outcome


def not_on_sale(session: str, outcome: NotOnSale) -> Problem:
    param = f"$.items[{outcome.line}].sku"
    detail = f"{outcome.detail}; take it out of the cart (quantity 0), then order: `current` shows the cart"
    headers = {"ETag": etag(digest_of(outcome.cart))}
    return Problem("article_unknown", detail, param=param, session_id=session, headers=headers, current=outcome.cart)


def price_changed(session: str, cart: CartView) -> Problem:
    what = "the order has been placed already, and comes" if cart["status"] == "placed" else "the cart comes"
    now = f"{amount(cart['total'], cart['currency'])} ({cart['total']} in minor units)"
    detail = f"{what} to {now}: look at `current`, and send that total or none"
    headers = {"ETag": etag(digest_of(cart))}
    return Problem("price_changed", detail, param="$.expected_total", session_id=session, headers=headers, current=cart)
