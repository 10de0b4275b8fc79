"""What a repair's sentence says to people, and what `clerk repair` does, are the same."""

from __future__ import annotations

import pytest

from verifier import credit, repairs, secrecy, stock
from verifier.repairs import UNDO_AT, Repair, RepairKind
from verifier.violation import Violation

ALL = {
    value
    for module in (repairs, credit, stock, secrecy)
    for value in vars(module).values()
    if isinstance(value, Repair)
}


@pytest.mark.parametrize("repair", sorted(ALL, key=str))
def test_the_sentence_names_the_command_where_the_command_does_it(repair: Repair) -> None:
    assert repair.sentence.startswith("clerk repair: ") == repair.is_safe


def test_there_is_a_repair_of_every_kind_and_an_undo_at_every_service() -> None:
    assert {repair.kind for repair in ALL} == {*RepairKind, None}
    undos = {repair.service: repair for repair in ALL if repair.kind is RepairKind.UNDO_AGAIN}
    assert undos == UNDO_AT
    assert UNDO_AT.keys() == {"shop", "risk", "payment", "fulfillment"}
    assert {repair.service for repair in ALL if repair.kind is not RepairKind.UNDO_AGAIN} == {None}


def test_a_violation_is_printed_with_its_repairs_sentence() -> None:
    violation = Violation("I5", "clk_1", "no credit is reserved", "1295 is", repairs.RELEASE_CREDIT)
    assert violation.as_json() == {
        "invariant": "I5",
        "clerk": "clk_1",
        "expected": "no credit is reserved",
        "found": "1295 is",
        "repair": "clerk repair: give the reserved credit back (ReleaseCredit)",
    }
    assert str(violation) == "I5 clk_1: expected no credit is reserved; found 1295 is"
