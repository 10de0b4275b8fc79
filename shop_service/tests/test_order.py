"""What may be ordered, and what it comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refused
from shop_service.catalogue import LISTED, Product, on_offer
from shop_service.order import MOST_LINES, Cart, Order, add_up, place

BONE = Product("SQUEAKY-BONE", "Squeaky bone", 1295, "EUR", "physical")
DUCK = Product("SQUEAKY-DUCK", "Squeaky duck", 950, "EUR", "physical")
ALBUM = Product("BARK-ALBUM", "Bark!", 999, "EUR", "digital")
PRODUCTS = {product.sku: product for product in (BONE, DUCK, ALBUM)}
CART = Cart("clk_1", "hash", None, "EUR", "physical")


def code_of(outcome: object) -> str:
    assert isinstance(outcome, Refused)
    return outcome.code


def test_an_order_has_the_catalogues_names_and_prices() -> None:
    order = place(CART, [("SQUEAKY-BONE", 2), ("SQUEAKY-DUCK", 1)], PRODUCTS, 5, 9)
    assert isinstance(order, Order)
    assert order.section() == {
        "status": "placed",
        "items": [
            {
                "sku": "SQUEAKY-BONE",
                "name": "Squeaky bone",
                "quantity": 2,
                "unit_amount": 1295,
                "total": 2590,
                "kind": "physical",
            },
            {
                "sku": "SQUEAKY-DUCK",
                "name": "Squeaky duck",
                "quantity": 1,
                "unit_amount": 950,
                "total": 950,
                "kind": "physical",
            },
        ],
        "total": 3540,
    }


def test_the_same_article_named_twice_is_one_line() -> None:
    assert add_up([("SQUEAKY-BONE", 2), ("SQUEAKY-DUCK", 1), ("SQUEAKY-BONE", 3)]) == {
        "SQUEAKY-BONE": 5,
        "SQUEAKY-DUCK": 1,
    }


@pytest.mark.parametrize("quantities", [[0], [-1], [1000], [999, 1], [500, 500], [1, 0], [5, -1]])
def test_a_line_out_of_1_to_999_is_refused_also_when_it_is_named_in_parts(quantities: list[int]) -> None:
    assert code_of(add_up([("SQUEAKY-BONE", quantity) for quantity in quantities])) == "quantity_out_of_range"


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_whatever_adds_up_to_999_at_most_can_be_ordered(quantities: list[int]) -> None:
    outcome = add_up([("SQUEAKY-BONE", quantity) for quantity in quantities])
    if sum(quantities) <= 999:
        assert outcome == {"SQUEAKY-BONE": sum(quantities)}
    else:
        assert code_of(outcome) == "quantity_out_of_range"


def test_an_empty_order_is_refused() -> None:
    assert code_of(place(CART, [], PRODUCTS, 5, 9)) == "order_empty"


def test_more_different_articles_than_a_message_should_carry_are_refused() -> None:
    most = [(f"TOY-{number}", 1) for number in range(MOST_LINES)]
    assert isinstance(add_up(most), dict)
    assert code_of(add_up([*most, ("ONE-MORE", 1)])) == "quantity_out_of_range"


def test_an_article_that_nobody_knows_is_refused_by_name() -> None:
    outcome = place(CART, [("SQUEAKY-BONE", 1), ("BARKING-CAT", 1)], PRODUCTS, 5, 9)
    assert outcome == Refused("article_unknown", f"there is no article BARKING-CAT: {LISTED}")


def test_a_withdrawn_article_is_refused() -> None:
    products = {"SQUEAKY-BONE": replace(BONE, withdrawn=True)}
    assert code_of(place(CART, [("SQUEAKY-BONE", 1)], products, 5, 9)) == "article_unknown"


def test_an_article_in_another_currency_than_the_sessions_is_refused() -> None:
    assert code_of(on_offer(BONE, "SQUEAKY-BONE", "USD", "physical")) == "article_unknown"


def test_a_shop_sells_only_articles_of_its_own_type() -> None:
    assert on_offer(ALBUM, "BARK-ALBUM", "EUR", "digital") == ALBUM
    assert on_offer(ALBUM, "BARK-ALBUM", "EUR", "mixed") == ALBUM
    assert on_offer(BONE, "SQUEAKY-BONE", "EUR", "mixed") == BONE
    assert code_of(on_offer(ALBUM, "BARK-ALBUM", "EUR", "physical")) == "article_unknown"
    assert code_of(on_offer(BONE, "SQUEAKY-BONE", "EUR", "digital")) == "article_unknown"
