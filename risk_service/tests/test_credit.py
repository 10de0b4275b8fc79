"""Who may have how much, and what an ended order teaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refused
from risk_service.credit import (
    HIGHEST_SCORE,
    START_SCORE,
    Account,
    Lesson,
    Limits,
    Reservation,
    available,
    learn,
    owe,
    reserve,
)

ADA = Account("ada", "EUR", 10_000)


def test_available_is_the_limit_less_what_is_reserved_and_what_is_owed() -> None:
    assert available(Account("ada", "EUR", 10_000, outstanding=1_000), 2_500) == 6_500


def test_the_limit_can_be_used_up_to_the_last_cent_and_not_beyond() -> None:
    assert reserve(ADA, 7_000, "clk_1", 3_000) == Reservation("clk_1", "ada", 3_000, "EUR")
    refusal = reserve(ADA, 7_000, "clk_1", 3_001)
    assert isinstance(refusal, Refused)
    assert refusal.code == "credit_exceeded"


def test_an_overdrawn_account_is_told_of_zero_credit_never_of_less() -> None:
    refusal = reserve(Account("ada", "EUR", 100), 5_000, "clk_1", 1)
    assert isinstance(refusal, Refused)
    assert "only 0.00 EUR of credit" in refusal.internal


@given(st.integers(0, 10_000), st.lists(st.integers(0, 4_000)))
def test_no_series_of_reservations_exceeds_the_limit(limit: int, amounts: list[int]) -> None:
    reserved = 0
    for amount in amounts:
        outcome = reserve(Account("ada", "EUR", limit), reserved, "clk_1", amount)
        reserved += outcome.amount if isinstance(outcome, Reservation) else 0
    assert reserved <= limit


def test_a_paid_order_raises_the_score_a_late_one_lowers_it_and_one_of_nothing_does_not() -> None:
    assert learn(START_SCORE, 500, "paid") > START_SCORE > learn(START_SCORE, 500, "late")
    assert learn(START_SCORE, 0, "lost") == learn(START_SCORE, 0, "paid") == START_SCORE


def test_only_a_lost_order_is_owed() -> None:
    assert owe(ADA, 500, "paid") == owe(ADA, 500, "late") == ADA
    assert owe(owe(ADA, 500, "lost"), 300, "lost") == Account("ada", "EUR", 10_000, 800)


@given(st.lists(st.sampled_from(["paid", "late", "lost"]), max_size=80))
def test_the_score_stays_on_its_scale(lessons: list[Lesson]) -> None:
    score = START_SCORE
    for lesson in lessons:
        score = learn(score, 1, lesson)
    assert 0 <= score <= HIGHEST_SCORE


@pytest.mark.parametrize(
    ("currency", "limit", "guest"),
    [("EUR", 100_000, 50_000), ("USD", 100_000, 50_000), ("JPY", 150_000, 500), ("KWD", 1_000_000, 500_000),
     ("CLF", 10_000_000, 5_000_000)],
)  # fmt: skip
def test_a_limit_nobody_has_set_is_as_many_major_units_in_every_currency(currency: str, limit: int, guest: int) -> None:
    limits = Limits("EUR", 100_000, 50_000, {"JPY": 150_000})
    assert limits.of("ada", currency) == limit
    assert limits.of("guest/clk_1", currency) == guest


def test_in_a_currency_of_whole_units_others_get_their_decimal_places() -> None:
    assert Limits("JPY", 150_000, 1).of("ada", "EUR") == 15_000_000
