"""What may be the id of a Clerk, a customer, a person."""

from __future__ import annotations

import pytest

from domain.ids import is_id


@pytest.mark.parametrize("text", ["a", "...", ".a", "a.", "ada@example.com", "clk_1", "~" * 128])
def test_ids_are_printable_ascii(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "é", "a\n", ".\n", "~" * 129, 7, None])
def test_what_is_no_id(text: object) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("text", [".", ".."])
def test_what_leads_elsewhere_in_an_address_is_no_id(text: str) -> None:
    assert not is_id(text)
