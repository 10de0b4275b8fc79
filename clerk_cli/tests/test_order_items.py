"""What may be typed as SKU=QTY."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_cli.errors import CliError
from clerk_cli.order_items import read_items


def test_each_word_is_an_article_and_how_many() -> None:
    assert read_items(["SQUEAKY-BONE=2", "DUCK=999"]) == [
        {"sku": "SQUEAKY-BONE", "quantity": 2},
        {"sku": "DUCK", "quantity": 999},
    ]


@pytest.mark.parametrize("word", ["SQUEAKY-BONE", "=2", " =2", ""])
def test_a_word_without_article_or_quantity_is_refused(word: str) -> None:
    with pytest.raises(CliError, match="is no SKU=QTY"):
        read_items([word])


@pytest.mark.parametrize("quantity", ["", "0", "1000", "-1", "1.5", "two", "²", "٣", "9" * 5000, " 1"])
def test_a_quantity_is_a_whole_number_from_1_to_999(quantity: str) -> None:
    with pytest.raises(CliError, match="from 1 to 999"):
        read_items([f"BONE={quantity}"])


def test_an_article_is_named_once() -> None:
    with pytest.raises(CliError, match="BONE is named twice"):
        read_items(["BONE=1", "BONE=2"])


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(word: str) -> None:
    with contextlib.suppress(CliError):
        (item,) = read_items([word])
        assert 1 <= int(str(item["quantity"])) <= 999
