"""The drawn process: where the pivot is, where an order is on it, what is undone."""

from __future__ import annotations

from typing import Any

from shop_manager.dashboard.way import plan, services_of, way, with_counts
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD


def clerk(step: str | None, stuck: str | None, **states: str) -> dict[str, Any]:
    progress = [{"step": name, "state": states.get(name, "to_do"), "attempts": 1} for name in STANDARD.names]
    return {"step": step, "stuck": {"step": stuck} if stuck else None, "progress": progress}


def test_the_plan_shows_the_pivot_and_what_is_before_and_after_it() -> None:
    sides = {place.name: place.side for place in plan(STANDARD)}
    assert sides == {
        "shopping": "before", "credit": "before", "payment": "before", "stock": "before",
        "capture": "pivot", "shipping": "after", "settle": "after",
    }  # fmt: skip


def test_the_plan_says_who_is_asked_for_whom_it_waits_and_how_long() -> None:
    payment = plan(STANDARD)[2]
    assert (payment.asks, payment.do, payment.undo) == ("payment", "AuthorizePayment", "VoidPayment")
    assert (payment.waits_for, payment.limit) == ("customer", "15 min")
    assert [place.limit for place in plan(STANDARD)] == ["", "60 s", "15 min", "60 s", "60 s", "48 h", "60 s"]
    assert {place.name: place.limit for place in plan(INVOICE)}["collect"] == "14 d"


def test_the_way_shows_where_it_is_and_where_it_is_stuck() -> None:
    places = way(STANDARD, clerk("credit", "credit", shopping="done", credit="undoing", payment="undone"))
    assert [place.name for place in places if place.here] == ["credit"]
    assert [place.name for place in places if place.stuck] == ["credit"]
    assert {place.name: place.undo_state for place in places if place.undo_state} == {
        "credit": "undoing",
        "payment": "undone",
    }


def test_a_clerk_whose_process_was_taken_out_is_still_drawn() -> None:
    places = way(None, clerk(None, None, shopping="done"))
    assert [place.name for place in places] == STANDARD.names and places[0].state == "done"
    assert services_of(None) == {}


def test_counts_stand_at_their_steps() -> None:
    drawn = with_counts(STANDARD, [{"name": "shipping", "live": 3, "stuck": 1}])
    assert {place.name: (live, stuck) for place, live, stuck in drawn if live} == {"shipping": (3, 1)}
