"""Calls that are held open, clients that go away meanwhile, and versions that somebody else has changed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Room
from scenario_tests.reported_faults.place import Place
from scenario_tests.reported_faults.two_at_once import at_once
from scenario_tests.reported_faults.wire import Wire
from scenario_tests.waiting import until

WAITING = Room()
OF_ONE_SESSION = 8
"""Long polls and event streams that one session may have open (docs/design/api.md, Limits)."""


def polls(place: Place, order: OrderUnderTest, wire: Wire, seconds: int = 20) -> Wire:
    """Somebody waits for the session to change."""
    version = f'If-None-Match: "{order.session()["version"]}"'
    return wire.asks("GET", f"/shop/session/{order.id}", place.bearer, version, f"Prefer: wait={seconds}")


def follows(place: Place, order: OrderUnderTest, wire: Wire, *headers: str) -> Wire:
    """Somebody follows the session's events, and has the stream's beginning."""
    wire.asks("GET", f"/shop/session/{order.id}/events", place.bearer, *headers)
    wire.hears(head=True)
    return wire


def reads(place: Place, order: OrderUnderTest, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return place.short("GET", f"/shop/session/{order.id}", headers=named)


@WAITING.case(400, "who goes away while waiting leaves the place to others", "WrzDJ 356, uvicorn 2754", "200")
def place_is_free_again(place: Place) -> object:
    order = place.opens()
    for _ in range(OF_ONE_SESSION):
        polls(place, order, place.wire()).breaks()
    version = order.session()["version"]

    def granted() -> bool:
        return reads(place, order, Prefer="wait=1", If_None_Match=f'"{version}"') == "304"

    until(granted, "a place to wait is free")
    with ExitStack() as stack:
        for _ in range(OF_ONE_SESSION - 1):
            polls(place, order, stack.enter_context(place.wire()))
        order.cancels()
    return reads(place, order)


@WAITING.case(
    401,
    "who leaves an event stream leaves the place to others",
    "mobius 6, open-wearables 1566",
    [200] * OF_ONE_SESSION,
)
def stream_is_free_again(place: Place) -> object:
    order = place.opens()
    for _ in range(OF_ONE_SESSION):
        follows(place, order, place.wire()).breaks()

    def all_granted() -> bool:
        with ExitStack() as stack:
            return all(stream(place, order, stack).status == 200 for _ in range(OF_ONE_SESSION))

    until(all_granted, "all places are free")
    return [200] * OF_ONE_SESSION


def stream(place: Place, order: OrderUnderTest, stack: ExitStack) -> Any:
    wire = stack.enter_context(place.wire())
    return wire.asks("GET", f"/shop/session/{order.id}/events", place.bearer).hears(head=True)


@WAITING.case(402, "who waits holds no database connection", "WrzDJ 356, fojin 649", {"200"})
def waiting_costs_no_connection(place: Place) -> object:
    orders = [place.opens() for _ in range(4)]
    with ExitStack() as stack:
        for order in orders:
            for _ in range(OF_ONE_SESSION - 1):
                polls(place, order, stack.enter_context(place.wire()))
        acts = [lambda: place.short("PUT", f"/shop/customers/{place.name('ada')}", {"name": "Ada"})] * 8
        return {answer.replace("201", "200") for answer in at_once(*acts)}


@WAITING.case(403, "who waits is told at once", "starlette 2516", ("200", True))
def told_at_once(place: Place) -> object:
    order = place.opens()
    with place.wire() as wire:
        polls(place, order, wire)
        order.cancels()
        heard = wire.hears()
        return heard.short, heard.json["status"] in ("canceling", "canceled")


@WAITING.case(404, "a wait of no time, or of nonsense, is none", "hermes-agent 2059", {"304"})
def no_wait(place: Place) -> object:
    order = place.opens()
    known = f'"{order.session()["version"]}"'
    wishes = ("wait=0", "wait=-1", "wait=", "wait=soon", "respond-async", "wait=1e9")
    return {reads(place, order, Prefer=wish, If_None_Match=known) for wish in wishes}


@WAITING.case(405, "who comes back hears nothing twice", "vayu 21, eventsource 27", False)
def resumes(place: Place) -> object:
    order = place.opens()
    version = order.session()["version"]
    with place.wire() as wire:
        follows(place, order, wire, f"Last-Event-ID: {version}")
        order.cancels()
        return f"id: {version}\n".encode() in wire.hears_until(b"event: session")


@WAITING.case(406, "who has seen the end is told not to come back", "r3labs/sse 52", 204)
def seen_the_end(place: Place) -> object:
    order = place.opens().cancels().becomes("canceled")
    headers = {"Last-Event-ID": str(order.session()["version"])}
    return place.ask("GET", f"/shop/session/{order.id}/events", headers=headers).status_code


@WAITING.case(407, "an id that was no version begins from the start", "harness-engineering 678", b"event: session")
def unknown_last_id(place: Place) -> object:
    with place.wire() as wire:
        follows(place, place.opens(), wire, "Last-Event-ID: \u00b2")
        return wire.hears_until(b"event: session")[-14:]


@WAITING.case(408, "a version that has not come yet was not seen", "forge 360 of kenn-io", b"event: session")
def version_of_the_future(place: Place) -> object:
    with place.wire() as wire:
        follows(place, place.opens(), wire, "Last-Event-ID: 1000000")
        return wire.hears_until(b"event: session")[-14:]


@WAITING.case(409, "nor is the end, by who has seen a later version", "forge 360 of kenn-io", 200)
def end_of_the_future(place: Place) -> object:
    order = place.opens().cancels().becomes("canceled")
    return place.ask("GET", f"/shop/session/{order.id}/events", headers={"Last-Event-ID": "1000000"}).status_code


# --- versions ---------------------------------------------------------------------------------------------------------


@WAITING.case(420, "a version is known by its tag, weak or among others", "tornado 1274, response_bank 65", {"304"})
def known_versions(place: Place) -> object:
    order = place.opens()
    version = order.session()["version"]
    return {reads(place, order, If_None_Match=tags) for tags in (f'"{version}"', f'W/"{version}"', f'"0", "{version}"')}


@WAITING.case(
    421, "a version that a proxy has weakened is still that version", "FirelyTeam/spark 31, nginx 1570", "202"
)
def weakened(place: Place) -> object:
    order = place.opens()
    tag = f'W/"{order.session()["version"]}"'
    return place.short("POST", f"/shop/session/{order.id}/cancel", headers={"If-Match": tag})


@WAITING.case(
    422,
    "what is done to an old version is refused, and shows the new one",
    "chroncal 237",
    ("412 version_conflict", True),
)
def old_version(place: Place) -> object:
    order = place.opens()
    version = order.session()["version"]
    answer = place.ask("POST", f"/shop/session/{order.id}/cancel", headers={"If-Match": '"1000000"'})
    return f"{answer.status_code} {answer.json()['code']}", answer.headers["etag"] == f'"{version}"'


@WAITING.case(423, "a tag without quotes is refused, not overlooked", "send 131", "422 invalid_request")
def unquoted(place: Place) -> object:
    order = place.opens()
    return place.short("POST", f"/shop/session/{order.id}/cancel", headers={"If-Match": "7"})
