"""The diagram of a process: which step is the pivot, where an order is on it, what is undone."""

from __future__ import annotations

from typing import Any

from shop_manager.dashboard.diagram import (
    clerk_diagram,
    diagram_with_counts,
    process_diagram,
    services_of,
)
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD


def clerk(step: str | None, stuck: str | None, **states: str) -> dict[str, Any]:
    progress = [{"step": name, "state": states.get(name, "to_do"), "attempts": 1} for name in STANDARD.names]
    return {"step": step, "stuck": {"step": stuck} if stuck else None, "progress": progress}


def test_the_diagram_shows_the_pivot_and_what_is_before_and_after_it() -> None:
    sides = {step.name: step.side for step in process_diagram(STANDARD)}
    assert sides == {
        "shopping": "before", "credit": "before", "payment": "before", "stock": "before",
        "capture": "pivot", "shipping": "after", "settle": "after",
    }  # fmt: skip


def test_the_diagram_says_who_is_asked_for_whom_it_waits_and_how_long() -> None:
    payment = process_diagram(STANDARD)[2]
    assert (payment.asks, payment.do, payment.undo) == ("payment", "AuthorizePayment", "VoidPayment")
    assert (payment.waits_for, payment.limit) == ("customer", "15 min")
    assert [step.limit for step in process_diagram(STANDARD)] == [
        "",
        "60 s",
        "15 min",
        "60 s",
        "60 s",
        "48 h",
        "60 s",
    ]
    assert {step.name: step.limit for step in process_diagram(INVOICE)}["collect"] == "14 d"


def test_the_diagram_shows_where_it_is_and_where_it_is_stuck() -> None:
    steps = clerk_diagram(STANDARD, clerk("credit", "credit", shopping="done", credit="undoing", payment="undone"))
    assert [step.name for step in steps if step.here] == ["credit"]
    assert [step.name for step in steps if step.stuck] == ["credit"]
    assert {step.name: step.undo_state for step in steps if step.undo_state} == {
        "credit": "undoing",
        "payment": "undone",
    }


def test_a_clerk_whose_process_was_taken_out_is_still_drawn() -> None:
    steps = clerk_diagram(None, clerk(None, None, shopping="done"))
    assert [step.name for step in steps] == STANDARD.names and steps[0].state == "done"
    assert services_of(None) == {}


def test_counts_stand_at_their_steps() -> None:
    drawn = diagram_with_counts(STANDARD, [{"name": "shipping", "live": 3, "stuck": 1}])
    assert {step.name: (live, stuck) for step, live, stuck in drawn if live} == {"shipping": (3, 1)}
