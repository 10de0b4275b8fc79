"""What ShopManager takes from the document of a reply: the owner's section and nothing else (semantics D1)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.document import order_total, part, split_by_owner, with_section

OURS: dict[str, Any] = {"clerk": {"id": "clk_1"}, "order": {"total": 2590}, "credit": {"status": "none"}}


@pytest.mark.parametrize(
    ("theirs", "owned", "foreign"),
    [
        ({**OURS, "credit": {"status": "reserved"}}, {"status": "reserved"}, []),
        (OURS, {"status": "none"}, []),
        ({**OURS, "credit": {}, "order": {"total": 1}}, {}, ["order"]),
        ({**OURS, "new": 1, "clerk": {"id": "clk_2"}}, {"status": "none"}, ["clerk", "new"]),
        ({"credit": {"status": "reserved"}}, {"status": "reserved"}, ["clerk", "order"]),
        ({**OURS, "credit": "reserved"}, None, []),
        ({"clerk": {"id": "clk_1"}, "order": {"total": 2590}}, None, []),
        ({}, None, ["clerk", "order"]),
    ],
)
def test_D1_only_the_owners_section_is_taken_and_every_other_difference_is_named(
    theirs: dict[str, Any], owned: dict[str, Any] | None, foreign: list[str]
) -> None:
    assert split_by_owner(OURS, theirs, "credit") == (owned, foreign)


def test_a_section_is_set_anew_key_by_key_and_the_document_stays_as_it_was() -> None:
    document = {"credit": {"status": "none", "unknown": 1}, "other": [1]}
    changed = with_section(document, "credit", {"status": "reserved"})
    assert changed == {"credit": {"status": "reserved", "unknown": 1}, "other": [1]}
    assert document["credit"] == {"status": "none", "unknown": 1}


@pytest.mark.parametrize("document", [{}, {"order": None}, {"order": [1]}])
def test_a_section_that_is_missing_or_no_object_reads_as_empty(document: dict[str, Any]) -> None:
    assert part(document, "order") == {}


@pytest.mark.parametrize("total", [None, -1, "2590", 25.9, True])
def test_a_total_that_is_no_amount_is_an_error(total: object) -> None:
    with pytest.raises(ValueError, match=r"document\.order\.total"):
        order_total({"order": {"total": total}})
    assert order_total({"order": {"total": 0}}) == 0
