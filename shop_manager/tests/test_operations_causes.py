"""Every kind of being stuck has its own text, and the text fits the code."""

from __future__ import annotations

from typing import get_args

import pytest

from shop_manager.operations.causes import explained
from shop_manager.saga.state import StuckKind


@pytest.mark.parametrize("kind", get_args(StuckKind))
def test_every_kind_has_words_of_its_own_with_its_service_and_step(kind: str) -> None:
    told = explained(kind, "some_code", "risk", "credit")
    assert told["owner"] == "operator"
    assert told != explained("unknown", "some_code", "risk", "credit")
    assert "credit" in told["means"] and "{" not in "".join(told.values())


def test_who_only_waits_for_the_warehouse_is_told_so_and_who_hears_no_is_told_that() -> None:
    late = explained("overdue", "overdue", "fulfillment", "shipping")
    assert late["means"] == "shipping has taken longer than it may, behind the point of no return"
    assert late["move"] == "ask the warehouse when it is going to be done"
    cannot = explained("overdue", "refused_by_fault", "risk", "settle")
    assert cannot["means"].startswith("risk answers that it cannot do settle now")
    silent = explained("undo_failing", "no_answer", "payment", "payment")
    assert silent["means"].startswith("payment does not say whether it has undone payment")


def test_a_cause_of_another_version_is_told_as_far_as_it_is_known() -> None:
    assert explained("new_kind", "new_code", None, None)["means"] == "the service does not go on with its step"
