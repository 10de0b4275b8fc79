"""Who may have how much, and what an ended order teaches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refused
from risk_service.credit import HIGHEST_SCORE, START_SCORE, Account, Reservation, available, learn, reserve

ADA = Account("ada", 10_000)


def test_available_is_the_limit_less_what_is_reserved_and_what_is_owed() -> None:
    assert available(Account("ada", 10_000, outstanding=1_000), 2_500) == 6_500


def test_the_limit_can_be_used_up_to_the_last_cent_and_not_beyond() -> None:
    assert reserve(ADA, 7_000, "clk_1", 3_000) == Reservation("clk_1", "ada", 3_000)
    refusal = reserve(ADA, 7_000, "clk_1", 3_001)
    assert isinstance(refusal, Refused)
    assert refusal.code == "credit_exceeded"


def test_an_overdrawn_account_is_told_of_zero_credit_never_of_less() -> None:
    refusal = reserve(Account("ada", 100), 5_000, "clk_1", 1)
    assert isinstance(refusal, Refused)
    assert "only 0 of credit" in refusal.detail


@given(st.integers(0, 10_000), st.lists(st.integers(0, 4_000)))
def test_no_series_of_reservations_exceeds_the_limit(limit: int, amounts: list[int]) -> None:
    reserved = 0
    for amount in amounts:
        outcome = reserve(Account("ada", limit), reserved, "clk_1", amount)
        reserved += outcome.amount if isinstance(outcome, Reservation) else 0
    assert reserved <= limit


def test_a_paid_order_raises_the_score_a_late_one_lowers_it() -> None:
    assert learn(ADA, 500, "paid").score > START_SCORE > learn(ADA, 500, "late").score


def test_only_a_lost_order_is_owed() -> None:
    assert learn(ADA, 500, "paid").outstanding == learn(ADA, 500, "late").outstanding == 0
    lost = learn(learn(ADA, 500, "lost"), 300, "lost")
    assert lost.outstanding == 800
    assert lost.score < START_SCORE


@given(st.lists(st.sampled_from(["paid", "late", "lost"]), max_size=80))
def test_the_score_stays_on_its_scale_and_the_limit_is_never_touched(lessons: list[str]) -> None:
    account = ADA
    for lesson in lessons:
        account = learn(account, 1, lesson)  # type: ignore[arg-type]  # hypothesis knows str only
    assert 0 <= account.score <= HIGHEST_SCORE
    assert account.limit == ADA.limit
