"""Processes are data, checked when they are put together (docs/design/processes.md)."""

from __future__ import annotations

import pytest

from shop_manager.processes import ProcessRegistry, discover
from shop_manager.processes.definition import NOTHING_TO_UNDO, BadProcess, Pivot, Process, Step, Suits
from shop_manager.processes.standard import STANDARD

FIRST = Step("first", "shop", "Begin", "Unbegin")
PIVOT = Pivot("pivot", "payment", "Take")
LAST = Step("last", "risk", "Close")


def test_the_three_processes_are_found_in_their_files() -> None:
    assert [process.reference for process in discover()] == ["digital/1", "invoice/1", "standard/1"]


@pytest.mark.parametrize(
    ("customer", "shop", "invoice", "expected"),
    [
        ("regular", "physical", False, "standard/1"),
        ("regular", "physical", True, "standard/1"),
        ("guest", "physical", True, "standard/1"),
        ("trusted", "physical", False, "standard/1"),
        ("trusted", "physical", True, "invoice/1"),
        ("trusted", "digital", True, "digital/1"),
        ("guest", "digital", False, "digital/1"),
        ("guest", "mixed", False, "standard/1"),
        ("trusted", "mixed", True, "standard/1"),
    ],
)
def test_the_process_is_chosen_by_customer_type_and_shop_type(
    customer: str, shop: str, invoice: bool, expected: str
) -> None:
    choice = ProcessRegistry().choose(customer, shop, invoice)
    assert choice.process.reference == expected
    assert choice.inputs == {"customer_type": customer, "shop_type": shop, "allows_invoice": invoice}
    assert choice.rule


def test_of_several_versions_side_by_side_a_new_session_gets_the_newest() -> None:
    newer = Process("standard", 2, [FIRST, PIVOT, LAST])
    processes = ProcessRegistry([newer, STANDARD])
    assert processes.choose("guest", "physical", False).process is newer
    assert processes["standard/1"] is STANDARD


BAD = {
    "before the pivot and has no undo": [Step("a", "shop", "A"), PIVOT],
    "from the pivot on nothing is undone": [FIRST, PIVOT, Step("b", "risk", "B", "UnB")],
    "exactly one is allowed": [FIRST, LAST],
    "same name": [FIRST, FIRST, PIVOT],
    "allowed are shop": [Step("a", "bank", "A", "B"), PIVOT],
    "is no command": [Step("a", "shop", "do it", "B"), PIVOT],
    "more than 0": [Step("a", "shop", "A", "B", within=0), PIVOT],
    "`overdue` is for steps after the pivot": [Step("a", "shop", "A", "B", overdue="C"), PIVOT],
}


@pytest.mark.parametrize("complaint", BAD)
def test_a_process_that_cannot_be_run_is_refused_when_it_is_put_together(complaint: str) -> None:
    with pytest.raises(BadProcess, match=complaint):
        Process("bad", 1, BAD[complaint])


def test_a_step_may_say_that_there_is_nothing_to_undo() -> None:
    assert Process("good", 1, [Step("a", "shop", "A", NOTHING_TO_UNDO), PIVOT]).commands() == {
        "shop": {("A", 1)},
        "payment": {("Take", 1)},
    }


def test_taking_out_a_process_that_clerks_still_use_is_refused() -> None:
    with pytest.raises(BadProcess, match="standard/1 was taken out"):
        ProcessRegistry([]).check_in_use([("standard/1", STANDARD.digest)])


def test_changing_a_process_that_clerks_still_use_is_refused() -> None:
    changed = Process("standard", 1, [FIRST, PIVOT, LAST])
    with pytest.raises(BadProcess, match="give it a new version"):
        ProcessRegistry([changed]).check_in_use([("standard/1", STANDARD.digest)])
    ProcessRegistry([STANDARD]).check_in_use([("standard/1", STANDARD.digest)])


def test_for_whom_a_process_is_does_not_change_what_it_is() -> None:
    one, other = Process("p", 1, [FIRST, PIVOT]), Process("p", 1, [FIRST, PIVOT], Suits(shop_type="digital"))
    assert one.digest == other.digest
