"""Mutants of turns: no tombstone, and deduplication by the message's id only."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from domain.messages import Command, Reply
from messaging import turns
from messaging.turns import Dispatcher, Turn
from simulation.mutants.mutant import replaced


def no_fence() -> AbstractContextManager[None]:
    """A step that was called off is done all the same when its command comes afterwards (against U3)."""
    do = Dispatcher._do

    def does_what_was_called_off(
        self: Dispatcher[Any], command: Command, turn: Turn | None, *rest: Any
    ) -> tuple[Turn | None, Reply | None]:
        return do(self, command, None if turn and turn.state == "undone" else turn, *rest)

    return replaced(Dispatcher, _do=does_what_was_called_off)


def dedup_by_message_id_only() -> AbstractContextManager[None]:
    """Only the very same message is recognised; one about the same step under another id counts as new."""
    do = Dispatcher._do

    def knows_ids_only(
        self: Dispatcher[Any], command: Command, turn: Turn | None, *rest: Any
    ) -> tuple[Turn | None, Reply | None]:
        seen = turn is not None and turn.name == command.name and turn.attempt == command.attempt
        return do(self, command, turn if seen else None, *rest)

    return replaced(turns.Dispatcher, _do=knows_ids_only)
