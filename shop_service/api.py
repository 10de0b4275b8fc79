"""The shop's doors: the catalogue for everybody, and each session's cart for its customer (api.md, Shop service)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from domain.refusals import Refused
from doors.answers import Body, Id, decode_cursor, encode_cursor, page
from doors.callers import Caller, caller, may_act_on, require_server
from doors.problems import Problem, invalid
from messaging.database import Database
from shop_service.catalogue import Kind, Product
from shop_service.counter import CartAnswer, Counter
from shop_service.entrance import Entrance
from shop_service.order import MOST_OF_ONE
from shop_service.store import products, read_shelf

MOST = 10**9
"""The dearest article, in minor units: 100 lines of 999 of it still fit the database."""
Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", max_length=200)
]
Whoever = Annotated[Caller, Depends(caller)]


class Article(Body):
    name: Name
    unit_amount: Annotated[int, Field(ge=0, le=MOST, description="minor units")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    kind: Kind
    withdrawn: Annotated[bool, Field(description="no longer sold; it stays known to the orders that have it")] = False


class Quantity(Body):
    quantity: Annotated[int, Field(ge=0, le=MOST_OF_ONE, description="0 takes the article out of the cart")]


def catalogue_router(database: Database) -> APIRouter:
    """`GET /shop/products` for anybody, `PUT /shop/products/{sku}` with the server key."""
    router = APIRouter(tags=["shop"])

    @router.get("/shop/products")
    def list_products(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None, kind: Kind | None = None
    ) -> dict[str, Any]:
        """What is sold, by sku; withdrawn articles are left out."""
        (after,) = decode_cursor(cursor, [str]) if cursor else ("",)
        with database.read() as tx:
            found = read_shelf(tx, after=after, kind=kind, most=limit + 1)
        more = encode_cursor([found[limit - 1].sku]) if len(found) > limit else None
        return page([asdict(each) for each in found], limit, more)

    @router.put("/shop/products/{sku}", dependencies=[Depends(require_server)])
    def put_product(sku: Sku, body: Article) -> dict[str, Any]:
        """Put an article on the shelf, or change it; orders placed before keep their prices."""
        row = asdict(Product(sku, **body.model_dump()))
        with database.begin() as tx:
            tx.upsert(products, [row], ["sku"])
        return row

    return router


def carts_router(counter: Counter, entrance: Entrance) -> APIRouter:
    """A session's cart, for its own customer (`cs_…`) or the server key; for everybody else there is none (404)."""
    router = APIRouter(tags=["shop"])

    def come_in(session: str, who: Caller) -> None:
        """Goes on when the session's cart is there and the caller may use it."""
        if who.kind not in ("customer", "server"):
            raise Problem("unauthorized" if who.kind == "nobody" else "forbidden")
        possible = session.startswith("clk_")
        if not (possible and entrance.admits(session, lambda secret: may_use(who, secret))):
            raise Problem("not_found", retry_after=1 if possible else None)

    @router.get("/shop/carts/{session}")
    def read_cart(session: Id, who: Whoever) -> CartAnswer:
        """The cart at the prices of this moment, or the order that it became."""
        come_in(session, who)
        return answered(session, counter.show(session))

    @router.put("/shop/carts/{session}/items/{sku}")
    def put_item(session: Id, sku: Id, body: Quantity, who: Whoever) -> CartAnswer:
        """So many of the article are in the cart from now on."""
        come_in(session, who)
        return answered(session, counter.put(session, sku, body.quantity))

    @router.post("/shop/carts/{session}/order", status_code=202)
    def place_order(session: Id, who: Whoever) -> CartAnswer:
        """Place the order; again is the same."""
        come_in(session, who)
        return answered(session, counter.order(session))

    return router


def may_use(who: Caller, secret_sha256: str) -> bool:
    """The server key may use every cart, a customer the own one."""
    return who.kind == "server" or may_act_on(who, secret_sha256)


def answered(session: str, outcome: CartAnswer | Refused) -> CartAnswer:
    if isinstance(outcome, Refused) and outcome.code == "quantity_out_of_range":
        raise invalid("sku", outcome.detail)
    if isinstance(outcome, Refused):
        raise Problem(outcome.code, outcome.detail, session_id=session)
    return outcome
