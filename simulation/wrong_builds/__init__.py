"""The wrong builds that the checker must find out (faults.md: the checker is checked)."""

from __future__ import annotations

from simulation.wrong_builds import deciding, messages, money, turns
from simulation.wrong_builds.build import Patch, WrongBuild


def _build(wrong: str, invariants: str, patched: Patch, within: int = 300) -> WrongBuild:
    name = patched.__name__.replace("_", " ")
    return WrongBuild(name, wrong, frozenset(invariants.split()), within, patched)


BUILDS = (
    _build("acknowledges what it has taken before it has committed", "I8", messages.ack_before_commit),
    _build("outgoing messages have a transaction of their own", "I8", messages.outbox_outside_the_transaction),
    _build("does what was called off before it came", "I10", turns.no_fence),
    _build("writes what it has read a while ago over what is there", "I9", deciding.no_compare_and_set),
    _build("takes a reply's whole document", "I11", deciding.whole_document_overwrite),
    _build("hands back what cannot be read", "quiet I15", messages.bad_message_requeued),
    _build(
        "takes the deadline off the row before it takes effect", "I12", deciding.deadline_cleared_before_its_outcome
    ),
    _build("undoes the first step first", "I10", deciding.undo_forwards),
    _build("knows messages again by their id only", "I10 I7", turns.dedup_by_message_id_only),
    _build("reckons money in fractions of a euro", "I3", money.float_money),
    _build("asks the provider again under a new key", "I3 I7", money.retry_without_idempotency_key),
    _build("a late answer sets an ended order going again", "I2", deciding.revive_after_the_end),
)
"""Each with what it does wrong, the invariant that must find it out, and within how many seeds."""

__all__ = ["BUILDS", "WrongBuild"]
