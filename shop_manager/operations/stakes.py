"""What may be lost with a stuck Clerk, as far as its process has come: its money, nothing, or only its settling. Pure.

- `at_risk`: the customer's money is reserved, taken or under way and the goods are not there, or the goods have left
  unpaid.
- `to_settle`: paid and shipped; only the books are not closed.
- `nothing`: nothing was paid and nothing has left the house, or all of it was given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shop_manager.processes.definition import Process, Step

Stake = Literal["at_risk", "to_settle", "nothing"]
PAYMENT, FULFILLMENT = "payment", "fulfillment"


def stake_of(process: Process | None, step: str | None, kind: str, *, undoing: bool) -> Stake:
    """Of a Clerk that is stuck at this step. Of a process that is not known any more everything counts as at risk."""
    if process is None or step not in process.names:
        return "at_risk"
    at = process.names.index(step)
    done, here = process.steps[:at], process.steps[at]
    paid = any(each.asks == PAYMENT for each in done)
    if undoing:  # the latest first: what came after this step is undone
        return "at_risk" if paid or here.asks == PAYMENT else "nothing"
    gone = _have_left(done)
    if here.asks == PAYMENT:
        never_asked = kind == "unsupported" and not paid and not gone
        return "nothing" if never_asked else "at_risk"
    if paid and gone:
        return "to_settle"
    return "at_risk" if paid or gone else "nothing"


def _have_left(done: Sequence[Step]) -> bool:
    """Are the goods on their way? What fulfillment does for good is sending them."""
    return any(each.asks == FULFILLMENT and each.undo is None for each in done)
