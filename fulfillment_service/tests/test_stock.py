"""Goods are on hand, reserved or shipped; none appear or vanish between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refused
from fulfillment_service.stock import MOST, Stock, adjust, give_back, hand_over, reserve, shortage
from fulfillment_service.tests.commands import pieces


def test_reserved_goods_are_no_longer_on_hand() -> None:
    assert reserve(pieces(10), 3) == pieces(7, 3)


def test_goods_that_are_given_back_are_on_hand_again() -> None:
    assert give_back(reserve(pieces(10), 3), 3) == pieces(10)


def test_goods_that_leave_were_reserved() -> None:
    assert hand_over(reserve(pieces(10), 3), 3) == pieces(7, 0, 3)


def test_the_last_piece_can_be_had_and_not_one_more() -> None:
    stock = {"SQUEAKY-BONE": pieces(2)}
    assert shortage({"SQUEAKY-BONE": 2}, stock) is None
    assert shortage({"SQUEAKY-BONE": 3}, stock) == Refused(
        "out_of_stock",
        "there is not enough of SQUEAKY-BONE: order less of it, or something else",
        internal="SQUEAKY-BONE: 3 wanted, 2 on hand",
    )


def test_every_article_that_is_short_is_named_also_one_that_was_never_there() -> None:
    refusal = shortage({"SQUEAKY-BONE": 3, "SQUEAKY-DUCK": 1, "SQUEAKY-CAT": 1}, {"SQUEAKY-DUCK": pieces(1)})
    assert refusal
    assert "SQUEAKY-BONE" in refusal.detail
    assert "SQUEAKY-CAT" in refusal.detail
    assert "SQUEAKY-DUCK" not in refusal.detail


@given(st.lists(st.sampled_from([reserve, give_back, hand_over])), st.integers(1, 999))
def test_no_move_changes_the_sum_of_all_pieces(moves: list[object], quantity: int) -> None:
    stock = Stock("SQUEAKY-BONE", 1000, 50, 5)
    for move in moves:
        stock = move(stock, quantity)  # type: ignore[operator]  # each of the three takes these two
    assert stock.on_hand + stock.reserved + stock.shipped == 1055


def test_an_adjustment_changes_what_is_on_hand_and_never_below_nothing() -> None:
    assert adjust(pieces(2, 3, 4), 5) == pieces(7, 3, 4)
    assert adjust(pieces(2, 3, 4), -2) == pieces(0, 3, 4)
    for delta, code in ((-3, "out_of_stock"), (MOST - 1, "quantity_out_of_range")):
        refused = adjust(pieces(2, 3, 4), delta)
        assert isinstance(refused, Refused) and refused.code == code
