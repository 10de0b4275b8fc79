"""Lists read page by page, while time stands still or the rows under them change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sqlalchemy import update

from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Room
from scenario_tests.reported_faults.place import Place
from shop_manager.engine.tables import clerks

LISTS = Room()
Between = Callable[[int], object]
"""What happens after a page with that number, from 1 on."""


def nothing(_page: int) -> None:
    """Nobody does anything meanwhile."""


def walked(place: Place, path: str, between: Between = nothing, key: str | None = None) -> list[dict[str, Any]]:
    """All rows of all pages of two, in the order in which they came."""
    found: list[dict[str, Any]] = []
    cursor, page, number = "", {"has_more": True}, 0
    while page["has_more"]:
        page = place.ask("GET", f"{path}&limit=2{cursor}", key=key).json()
        found += page["data"]
        number += 1
        cursor = f"&cursor={quote(page['next_cursor'] or '')}"
        between(number)
    return found


def sessions_of_one(place: Place, many: int) -> tuple[str, list[OrderUnderTest]]:
    """So many sessions under one reference: the path of their list, and they, oldest first."""
    return of_reference(place), [place.opens(client_reference=place.shop.suffix) for _ in range(many)]


def of_reference(place: Place) -> str:
    return f"/shop/session?client_reference={place.shop.suffix}"


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


@LISTS.case(300, "rows of the same moment are all on some page, once", "backend.ai 14604, activepieces 14323", (7, 7))
def same_moment(place: Place) -> object:
    path, orders = sessions_of_one(place, 7)
    with place.harness.database("shop_manager").begin() as tx:
        chosen = clerks.c.id.in_([order.id for order in orders])
        tx.execute(update(clerks).where(chosen).values(opened_at=tx.now()))
    seen = ids(walked(place, path))
    return len(seen), len(set(seen))


@LISTS.case(301, "what comes while one reads moves nothing to another page", "ent 1138, btcmap 1189", True)
def rows_come(place: Place) -> object:
    path, orders = sessions_of_one(place, 6)
    seen = ids(walked(place, path, lambda _page: place.opens(client_reference=place.shop.suffix)))
    return seen == [order.id for order in reversed(orders)]


@LISTS.case(302, "what changes its status while one reads hides nothing else", "superplane 6627", True)
def rows_change(place: Place) -> object:
    _, orders = sessions_of_one(place, 6)
    newest = list(reversed(orders))
    path = f"{of_reference(place)}&status=open"
    seen = ids(
        walked(place, path, lambda page: newest[2 * page - 2].cancels().becomes("canceled") if page < 4 else None)
    )
    return seen == [order.id for order in newest]


@LISTS.case(303, "a full last page says that it is the last", "typeorm-cursor-pagination 14", (2, False, None))
def full_last_page(place: Place) -> object:
    path, _ = sessions_of_one(place, 2)
    page = place.ask("GET", f"{path}&limit=2").json()
    return len(page["data"]), page["has_more"], page["next_cursor"]


@LISTS.case(304, "a list of nothing is a list", "quern 267", ([], False, None))
def empty_list(place: Place) -> object:
    page = place.ask("GET", of_reference(place)).json()
    return page["data"], page["has_more"], page["next_cursor"]


@LISTS.case(305, "a cursor of another list is refused", "activepieces 14323", "422 invalid_request")
def foreign_cursor(place: Place) -> object:
    sessions_of_one(place, 2)
    cursor = place.ask("GET", f"{of_reference(place)}&limit=1").json()["next_cursor"]
    return place.short("GET", f"/shop/products?cursor={quote(cursor)}")


@LISTS.case(306, "a cursor that was cut off is refused", "activepieces 14323", "422 invalid_request")
def cut_cursor(place: Place) -> object:
    sessions_of_one(place, 2)
    cursor = place.ask("GET", f"{of_reference(place)}&limit=1").json()["next_cursor"]
    return place.short("GET", f"/shop/session?cursor={quote(cursor[:-3])}")


@LISTS.case(
    307, "articles that are withdrawn while one reads hide no others", "beacon-server 131", ["A", "B", "C", "D", "E"]
)
def withdrawn(place: Place) -> object:
    words = ["A", "B", "C", "D", "E"]
    for word in words:
        place.shop.sells(word)
    mine = {place.shop.sku(word): word for word in words}

    def first_is_withdrawn(_page: int) -> None:
        place.shop.sells("A", withdrawn=True)

    seen = walked(place, "/shop/products?kind=digital", first_is_withdrawn)
    return [mine[row["sku"]] for row in seen if row["sku"] in mine]


@LISTS.case(308, "what is shipped while the warehouse reads hides no other parcel", "superplane 6627", True)
def shipped_meanwhile(place: Place) -> object:
    orders = [place.session_with_bones().pays() for _ in range(4)]
    for order in orders:
        order.is_at("shipping", "waiting")

    def first_is_shipped(page: int) -> None:
        if page == 1:
            orders[0].gets_shipped()

    rows = walked(place, "/fulfillment/shipments?status=allocated", first_is_shipped, place.keys.warehouse)
    seen = [row["session"] for row in rows]
    for order in orders[1:]:
        order.gets_shipped()
    return {order.id for order in orders[1:]} <= set(seen) and len(seen) == len(set(seen))


@LISTS.case(
    309,
    "a cursor of the same list in another order is refused",
    "typeorm-cursor-pagination 14",
    {"422 invalid_request"},
)
def other_order(place: Place) -> object:
    sessions_of_one(place, 2)
    key = place.keys.operator
    cursor = place.ask("GET", "/ops/clerks?sort=-created_at&limit=1", key=key).json()["next_cursor"]
    other = ("-next_wake_at", "created_at", "-stuck_since")
    return {place.short("GET", f"/ops/clerks?sort={sort}&limit=1&cursor={quote(cursor)}", key=key) for sort in other}


# --- times ------------------------------------------------------------------------------------------------------------


@LISTS.case(
    320,
    "a time without an offset is refused, and no server's own is put in",
    "quern 267, fastapi 3983",
    "422 invalid_request",
)
def no_offset(place: Place) -> object:
    return place.short("GET", "/shop/session?created_after=2026-11-23T14:20:53")


@LISTS.case(321, "the same moment in any zone finds the same", "django-rest-framework 7947, fastapi 2677", (1, 1, 1))
def zones(place: Place) -> object:
    order = place.opens(client_reference=place.shop.suffix)
    day = order.session()["created_at"][:10]
    before = (f"{day}T00:00:00Z", f"{day}T01:00:00+01:00", f"{day}T05:45:00+05:45")
    found = [place.ask("GET", f"{of_reference(place)}&created_after={quote(moment)}").json() for moment in before]
    return tuple(len(page["data"]) for page in found)


@LISTS.case(322, "a day that no calendar has is refused", "fastapi 3983", {"422 invalid_request"})
def no_such_day(place: Place) -> object:
    wrong = ("2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "yesterday", "1764000000")
    return {place.short("GET", f"/shop/session?created_after={moment}") for moment in wrong}
