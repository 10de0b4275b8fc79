"""The mutants: production code that is wrong on purpose, which the oracle must find out (docs/design/faults.md)."""

from __future__ import annotations

from simulation.mutants import manager, messages, money, turns
from simulation.mutants.mutant import Mutant, Patch


def _mutant(wrong: str, invariants: str, patched: Patch, within: int = 300) -> Mutant:
    name = patched.__name__.replace("_", " ")
    return Mutant(name, wrong, frozenset(invariants.split()), within, patched)


MUTANTS = (
    _mutant("acknowledges what it has taken before it has committed", "I8", messages.ack_before_commit),
    _mutant("outgoing messages have a transaction of their own", "I8", messages.outbox_outside_the_transaction),
    _mutant("does what was called off before it came", "I10", turns.no_fence),
    _mutant("writes what it has read a while ago over what is there", "I9", manager.no_compare_and_set),
    _mutant("takes what it remembers for what is there", "quiet I15", manager.memory_without_a_look),
    _mutant("takes a reply's whole document", "I11", manager.whole_document_overwrite),
    _mutant("hands back what cannot be read", "quiet I15", messages.bad_message_requeued),
    _mutant(
        "takes the deadline off the row before it takes effect", "I12", manager.deadline_cleared_before_its_outcome
    ),
    _mutant("undoes the first step first", "I10", manager.undo_forwards),
    _mutant("knows messages again by their id only", "I10 I7", turns.dedup_by_message_id_only),
    _mutant("reckons money in fractions of a euro", "I3", money.float_money),
    _mutant("asks the provider again under a new key", "I3 I7", money.retry_without_idempotency_key),
    _mutant("a late answer sets an ended order going again", "I2", manager.revive_after_the_end),
)
"""Each with what it does wrong, the invariants that may find it out, and within how many seeds."""

__all__ = ["MUTANTS", "Mutant"]
