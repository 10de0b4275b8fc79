"""What may be lost with a stuck Clerk: nothing when nothing was paid; what is paid and shipped is named as such."""

from __future__ import annotations

import pytest

from shop_manager.operations.stakes import Stake, stake_of
from shop_manager.processes.definition import Process
from shop_manager.processes.digital import DIGITAL
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD


@pytest.mark.parametrize(
    ("process", "step", "kind", "undoing", "stake"),
    [
        (STANDARD, "credit", "unsupported", False, "nothing"),
        (STANDARD, "payment", "unsupported", False, "nothing"),
        (STANDARD, "payment", "parked_message", False, "at_risk"),
        (STANDARD, "stock", "parked_message", False, "at_risk"),
        (STANDARD, "capture", "no_answer", False, "at_risk"),
        (STANDARD, "shipping", "overdue", False, "at_risk"),
        (STANDARD, "settle", "overdue", False, "to_settle"),
        (STANDARD, "stock", "undo_failing", True, "at_risk"),
        (STANDARD, "payment", "undo_failing", True, "at_risk"),
        (STANDARD, "credit", "undo_failing", True, "nothing"),
        (INVOICE, "shipping", "overdue", False, "nothing"),
        (INVOICE, "collect", "unsupported", False, "at_risk"),
        (INVOICE, "settle", "overdue", False, "to_settle"),
        (INVOICE, "stock", "undo_failing", True, "nothing"),
        (DIGITAL, "delivery", "no_answer", False, "at_risk"),
        (DIGITAL, "settle", "no_answer", False, "to_settle"),
    ],
)
def test_what_is_at_stake_follows_from_how_far_the_order_came(
    process: Process, step: str, kind: str, undoing: bool, stake: Stake
) -> None:
    assert stake_of(process, step, kind, undoing=undoing) == stake


def test_of_a_process_that_nobody_knows_any_more_everything_is_at_risk() -> None:
    assert stake_of(None, "credit", "unsupported", undoing=False) == "at_risk"
    assert stake_of(STANDARD, "gone", "unsupported", undoing=False) == "at_risk"
